/*
 * Actions: the children that do what a session asked for. Each runs in its
 * own session and process group, with a pipe for its output and a deadline.
 */
#ifndef BRIDLE_ACTIONS_H
#define BRIDLE_ACTIONS_H

#include "audit.h"
#include "request.h"
#include "settings.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

/* What became of a process that kill's name matched. */
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

/* In memory shared with the action: what it did, for status line and log. */
struct action_report {
	uint32_t rows; /* list: how many it wrote */
	uint32_t outcomes[KILL_OUTCOMES];
	uint32_t by_policy; /* of those denied; the kernel denied the others */
	int32_t code;       /* halt, cancel: its status, if it is not 0 */
	char text[192];     /* that status's words */
};

/* All that a built-in action may know. */
struct action_context {
	const struct settings *settings;
	const struct settings_client *client;
	const struct request *request;
	const char *id;
	struct audit *audit;
	pid_t daemon;
	struct action_report *report;
	struct buf *rows; /* status, who: what the parent knows, as records */
	const struct settings_command *command; /* run */
};

/* The built-in actions. They write to stdout and return an exit status. */
enum action_exit {
	ACTION_OK,
	ACTION_PARTLY,
	ACTION_DENIED,
	ACTION_NO_MATCH,
	ACTION_FAILED,
	ACTION_FOUND /* the report has the status */
};
int action_list(const struct action_context *);
int action_kill(const struct action_context *);
int action_status(const struct action_context *);
int action_rows(const struct action_context *);

/* Becomes the program argv, which reads what the request says. */
int action_say(const struct action_context *, char *const *argv);

/* These become the program argv, or run it, if nothing is in its way. */
int action_halt(const struct action_context *, char *const *argv);
int action_cancel(const struct action_context *, char *const *argv);

/* The daemon's ends of its pipes, the caller's; -1: there is none. */
struct action_pipes {
	int in;
	int out;
	int err; /* of a run alone: else that goes with the output */
};

/* Those that are open. */
void action_pipes_close(struct action_pipes *);

enum action_stage { ACTION_RUNNING, ACTION_TERMINATED, ACTION_KILLED };

struct action {
	TAILQ_ENTRY(action) entry;
	pid_t pid;
	enum verb_number verb;
	enum action_stage stage;
	int64_t deadline;  /* of this stage */
	const char *ended; /* why we ended it, constant text; else NULL */
	int ended_code;    /* of the status that says so */
	struct action_report *report;
	struct session *session; /* who waits for it; NULL: nobody */
	struct audit_request log;
	bool dry_run;
	char *about; /* what it is about, as the status calls it; owned */
};

TAILQ_HEAD(actions, action);

/*
 * Forks the action of that request; argv is the program that halt, cancel and
 * run execute, as it is, without a shell. `about` is copied. The pipes are
 * non-blocking. NULL with errno; nothing is left then.
 */
struct action *actions_start(struct actions *, const struct action_context *,
	char *const *argv, const char *about, int64_t deadline,
	struct action_pipes *);

/* NULL if it is none of ours. */
struct action *actions_find(struct actions *, pid_t);

/* Sends SIGTERM to the group, SIGKILL when it is still there after a while. */
void action_end(struct action *, int code, const char *why);

/* Does what is due: the next signal for those past their deadline. */
void actions_expire(struct actions *, int64_t now);
int64_t actions_deadline(const struct actions *);

/*
 * For a child that has ended but is not reaped yet: its group's number is
 * still its own, so what is left of an ended one is killed now.
 */
void action_last_signal(const struct action *);

/*
 * The code and the words of the status for an action that ended as the
 * siginfo says, from its report. Where a rule forbade all of it, that is in
 * the verdict and the rule of its log.
 */
int action_result(struct action *, const siginfo_t *, char *text, size_t size);

/*
 * Whether it ended because the session that read its output did: of that the
 * signal may tell before the session's own end does.
 */
bool action_lost_reader(const struct action *, const siginfo_t *);

/* Takes it out of the list and frees it. */
void action_free(struct actions *, struct action *);

#endif
