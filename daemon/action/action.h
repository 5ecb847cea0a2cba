/*
 * An action is a child process that carries out a request. Each action has its
 * own POSIX session and process group, a pipe for its output, and a deadline.
 */
#ifndef BRIDLE_ACTION_H
#define BRIDLE_ACTION_H

#include "config/settings.h"
#include "net/peer.h"
#include "request.h"
#include "sys/logger.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

/* The outcome of a `kill` request for one process. */
enum kill_outcome {
	KILL_SIGNALLED,
	KILL_EXITED,
	KILL_GONE,
	KILL_DENIED,
	KILL_PROTECTED,
	KILL_SURVIVED,
	KILL_WOULD_SIGNAL,
	KILL_OUTCOMES
};

extern const char *const kill_outcome_names[KILL_OUTCOMES];

/*
 * The report that an action makes for its status line and its log line. The
 * report lies in memory that the action shares with the daemon.
 */
struct action_report {
	uint32_t rows; /* number of records that a `list` action has written */
	/* 1 if /proc hides other users' processes (`list`, `kill`) */
	uint32_t hidden;
	/* number of processes for each outcome (`kill`) */
	uint32_t outcomes[KILL_OUTCOMES];
	/*
	 * number of processes for which the policy denied the signal (`kill`)
	 */
	uint32_t by_policy;
	int32_t code;   /* status code that the action has chosen, or 0 */
	char text[192]; /* status text for `code` */
};

/* The data that an action needs. */
struct action_context {
	const struct settings *settings;
	const struct settings_client *client;
	const struct request *request;
	/* program to execute (`halt`, `cancel`, `say`, `run`) */
	char *const *argv;
	const char *id;
	struct logger *logger;
	pid_t daemon;
	struct action_report *report;
	/* records that the parent has made (`status`, `who`, `verbs`) */
	struct buf *rows;
	/* configured command to run, or NULL */
	const struct settings_command *command;
};

/*
 * The exit statuses of the built-in actions. These actions write their records
 * to standard output.
 */
enum action_exit {
	ACTION_OK,
	ACTION_PARTLY,
	ACTION_DENIED,
	ACTION_NO_MATCH,
	ACTION_FAILED,
	ACTION_FOUND /* the report holds the status code and text */
};
int action_list(const struct action_context *);
int action_kill(const struct action_context *);
int action_status(const struct action_context *);
int action_rows(const struct action_context *);

/*
 * Execute the program `argv` of the context, with the text of the `say` request
 * as its standard input. Return an exit status only on failure.
 */
int action_say(const struct action_context *);

/*
 * Halt the machine with the program `argv` of the context, unless an inhibitor
 * or a scheduled shutdown forbids the halt. Return an exit status.
 */
int action_halt(const struct action_context *);
/*
 * Cancel a scheduled shutdown with the program `argv` of the context. Return an
 * exit status.
 */
int action_cancel(const struct action_context *);

/*
 * Let the program bridled-wake send a Wake-on-LAN packet, or list the MAC
 * addresses of this machine. Return an exit status.
 */
int action_wake(const struct action_context *);

/*
 * The descriptors that the daemon or the action holds for the pipes between the
 * daemon and the action. A descriptor is -1 if its pipe does not exist.
 */
struct action_pipes {
	int in;
	int out;
	/* only for the verb `run`; other verbs write errors to `out` */
	int err;
};

/* Close the descriptors that are open, and set all descriptors to -1. */
void action_pipes_close(struct action_pipes *);

enum action_stage { ACTION_RUNNING, ACTION_TERMINATED, ACTION_KILLED };

struct action {
	TAILQ_ENTRY(action) entry;
	pid_t pid;
	enum verb_number verb;
	enum action_stage stage;
	int64_t deadline;  /* end of this stage, as a value of clock_ms() */
	const char *ended; /* reason why the daemon ended the action, or NULL */
	int ended_code;    /* status code for `ended` */
	struct action_report *report;
	struct session *session; /* session that waits for the reply, or NULL */
	struct peer_source source; /* source of the session's client */
	struct logger_request log;
	bool dry_run;
	bool detach; /* the action continues after its client has left */
	/* short description for the status text; owned by the action */
	char *about;
};

TAILQ_HEAD(actions, action);

/*
 * Fork the action of a request, and add the action to the list. Copy `about`.
 * `deadline` is a value of clock_ms(). Give the caller the daemon's descriptors
 * of the pipes. These descriptors are non-blocking, and the caller closes them.
 * Return NULL with errno on failure.
 */
struct action *actions_start(struct actions *, const struct action_context *,
	const char *about, int64_t deadline, struct action_pipes *);

/*
 * Return the action whose process has this pid, or NULL if no action has this
 * pid.
 */
struct action *actions_find(struct actions *, pid_t);

/*
 * End the action: send SIGTERM to its process group. actions_expire() sends
 * SIGKILL two seconds later. The status of the reply becomes `code` with the
 * text `why`, which is not copied. Do nothing if an earlier call has already
 * ended the action.
 */
void action_end(struct action *, int code, const char *why);

/*
 * Send SIGTERM to each action whose deadline has passed, and SIGKILL two
 * seconds later. Return the earliest deadline, or CLOCK_NEVER if there is no
 * action.
 */
int64_t actions_expire(struct actions *, int64_t now);

/*
 * Kill the processes that are left in the process group of an action that
 * action_end() has ended. Call this after the action's process has died, and
 * before this process is reaped. Until then, the group's number cannot belong
 * to another process group.
 */
void action_last_signal(const struct action *);

/*
 * Return the status code of an action that has ended, and write the status text
 * to `text`. If the policy forbade each signal of a `kill` request, set the
 * verdict and the rule in the action's log.
 */
int action_result(struct action *, const siginfo_t *, char *text, size_t size);

/*
 * True if the action died of SIGPIPE because the session that read its output
 * has ended. The daemon may reap such an action before it reaps the session.
 */
bool action_lost_reader(const struct action *, const siginfo_t *);

/* Remove the action from the list, and free the action. */
void action_free(struct actions *, struct action *);

#endif
