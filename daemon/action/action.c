#include "action/action.h"

#include "action/exec.h"
#include "action/guard.h"
#include "action/proc.h"
#include "buf.h"
#include "clock.h"
#include "fd.h"
#include "sys/sandbox.h"
#include "text.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TERM_MS 2000 /* time from SIGTERM to SIGKILL, in milliseconds */
#define LOG_FD 3     /* descriptor number of the log in a built-in action */

const char *const kill_outcome_names[KILL_OUTCOMES] = { "signalled", "exited",
	"gone", "denied", "protected", "survived", "would-signal" };

static void
describe_about(const struct action *a, char *text, size_t size)
{
	snprintf(text, size, "%s", a->about);
}

static void
describe_list(const struct action *a, char *text, size_t size)
{
	if (a->report->rows == 0)
		snprintf(text, size, "no process matches");
	else
		snprintf(text, size,
			a->report->rows == 1 ? "1 process" : "%u processes",
			a->report->rows);
}

/*
 * Append a sentence to the status text. It says if the policy (kill.users), the
 * kernel or both denied signals. The counts come from the action's process, and
 * may be wrong.
 */
static void
describe_denied(const struct action_report *r, struct buf *b)
{
	uint32_t denied = r->outcomes[KILL_DENIED];

	if (r->by_policy >= denied)
		buf_adds(b, " by kill.users");
	else if (r->by_policy == 0)
		buf_adds(b, " by the kernel");
	else
		buf_addf(b, " (%u by kill.users, %u by the kernel)",
			r->by_policy, denied - r->by_policy);
}

/*
 * Write the status text of a `kill` action. The text is the number of processes
 * for each outcome, such as "2 signalled, 1 denied by the kernel".
 */
static void
describe_kill(const struct action *a, char *text, size_t size)
{
	const struct action_report *r = a->report;
	struct buf b = { 0 };
	int i;

	for (i = 0; i < KILL_OUTCOMES; i++) {
		if (r->outcomes[i] == 0)
			continue;
		buf_addf(&b, "%s%u %s", b.len ? ", " : "", r->outcomes[i],
			kill_outcome_names[i]);
		if (i == KILL_DENIED)
			describe_denied(r, &b);
	}
	if (b.len == 0)
		buf_addf(&b, "no process matches %s", a->about);
	snprintf(text, size, "%s", buf_str(&b));
	buf_free(&b);
}

/* The properties of each verb that starts an action. */
static const struct {
	enum sandbox_role role;
	/* built-in action; NULL for the verb `run` */
	int (*run)(const struct action_context *);
	/*
	 * true if the exit status comes from a program, not from enum
	 * action_exit
	 */
	bool is_program;
	/* Write the status text of a successful action. */
	void (*describe)(const struct action *, char *text, size_t size);
} kinds[VERB_LAST + 1] = {
	[VERB_HALT] = { SANDBOX_EXEC, action_halt, true, describe_about },
	[VERB_LIST] = { SANDBOX_LIST, action_list, false, describe_list },
	[VERB_KILL] = { SANDBOX_KILL, action_kill, false, describe_kill },
	[VERB_RUN] = { SANDBOX_EXEC, NULL, true, describe_about },
	[VERB_CANCEL] = { SANDBOX_EXEC, action_cancel, true, describe_about },
	[VERB_SAY] = { SANDBOX_EXEC, action_say, true, describe_about },
	[VERB_WAKE] = { SANDBOX_LIST, action_wake, false, describe_about },
	[VERB_STATUS] = { SANDBOX_EXEC, action_status, false, describe_about },
	[VERB_WHO] = { SANDBOX_EXEC, action_rows, false, describe_about },
	[VERB_VERBS] = { SANDBOX_EXEC, action_rows, false, describe_about },
};

/*
 * Execute a configured command. On failure, write the step that failed to the
 * report, and exit.
 */
static void __attribute__((noreturn))
run_command(const struct action_context *c)
{
	struct action_report *r = c->report;
	const char *what;

	r->code = 0;
	exec_command(c->command, c->argv, c->id, &what);
	snprintf(r->text, sizeof(r->text), "%s %s: %s", what, c->argv[0],
		strerror(errno));
	r->code = CODE_FAILED;
	_exit(ACTION_FAILED);
}

static void __attribute__((noreturn))
run_builtin(const struct action_context *c)
{
	/*
	 * Close all descriptors except the log and standard input, output and
	 * error.
	 */
	if (dup2(logger_fd(c->logger), LOG_FD) == -1)
		_exit(ACTION_FAILED);
	close_range(LOG_FD + 1, ~0u, 0);
	logger_moved(c->logger, LOG_FD);
	_exit(kinds[c->request->verb].run(c));
}

/*
 * The two sides of an action's pipes. `its` has the action's descriptors, and
 * `ours` has the daemon's descriptors.
 */
struct pipes {
	struct action_pipes its;
	struct action_pipes ours;
};

#define NO_PIPES           \
	{                  \
		-1, -1, -1 \
	}

void
action_pipes_close(struct action_pipes *p)
{
	fd_close(&p->in);
	fd_close(&p->out);
	fd_close(&p->err);
}

static int
make_pipe(int *reader, int *writer, const int *ours)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	*reader = ends[0];
	*writer = ends[1];
	return fd_nonblock(*ours);
}

static int
make_pipes(struct pipes *p, const struct settings_command *command)
{
	if (make_pipe(&p->ours.out, &p->its.out, &p->ours.out) != 0)
		return -1;
	if (command == NULL)
		return 0;
	if (make_pipe(&p->ours.err, &p->its.err, &p->ours.err) != 0)
		return -1;
	return command->input == INPUT_CLIENT
		       ? make_pipe(&p->its.in, &p->ours.in, &p->ours.in)
		       : 0;
}

static void __attribute__((noreturn)) run_child(const struct action_context *c,
	const struct action_pipes *p, pid_t daemon)
{
	int in = p->in;

	snprintf(c->report->text, sizeof(c->report->text),
		"cannot set up the process of the action");
	c->report->code = c->command != NULL ? CODE_FAILED : 0;
	if (in == -1)
		in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	/*
	 * Start a new process group, so that action_end() can signal the action
	 * and all its children.
	 */
	if (setsid() == -1 || in == -1 || dup2(in, STDIN_FILENO) == -1 ||
		dup2(p->out, STDOUT_FILENO) == -1 ||
		(p->err != -1 && dup2(p->err, STDERR_FILENO) == -1))
		_exit(ACTION_FAILED);
	sandbox_child(kinds[c->request->verb].role);
	switch (c->request->verb) {
	case VERB_RUN:
		/*
		 * A command may start children, which a parent-death signal
		 * would not reach. The guard kills these children if the daemon
		 * dies.
		 */
		if (guard_start(daemon) != 0)
			_exit(ACTION_FAILED);
		run_command(c);
	case VERB_HALT:
		/*
		 * If the daemon ends before this action, no process reads the
		 * action's output. Ignore SIGPIPE, so that the action still
		 * halts the machine.
		 */
		if (!c->request->dry_run) {
			signal(SIGPIPE, SIG_IGN);
			break;
		}
		/* fall through */
	default:
		sandbox_die_with(daemon);
	}
	run_builtin(c);
}

static struct action *
new_action(const char *about)
{
	struct action *a = calloc(1, sizeof(*a));
	void *page;

	if (a == NULL)
		return NULL;
	page = mmap(NULL, sizeof(*a->report), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || (a->about = strdup(about)) == NULL) {
		if (page != MAP_FAILED)
			munmap(page, sizeof(*a->report));
		free(a);
		return NULL;
	}
	a->report = page;
	return a;
}

static void
delete_action(struct action *a)
{
	munmap(a->report, sizeof(*a->report));
	free(a->about);
	free(a);
}

struct action *
actions_start(struct actions *actions, const struct action_context *c,
	const char *about, int64_t deadline, struct action_pipes *ours)
{
	struct action_context context = *c;
	struct action *a = new_action(about);
	struct pipes pipes = { NO_PIPES, NO_PIPES };
	pid_t daemon = getpid();

	if (a == NULL)
		return NULL;
	context.report = a->report;
	if (make_pipes(&pipes, c->command) != 0)
		goto fail;
	if ((a->pid = fork()) == 0)
		run_child(&context, &pipes.its, daemon);
	if (a->pid == -1)
		goto fail;
	/*
	 * Do not share the report with later children, because they could
	 * change the report.
	 */
	madvise(a->report, sizeof(*a->report), MADV_DONTFORK);
	action_pipes_close(&pipes.its);
	a->verb = c->request->verb;
	a->dry_run = c->request->dry_run;
	a->detach = c->command != NULL && c->command->detach;
	a->deadline = deadline;
	TAILQ_INSERT_TAIL(actions, a, entry);
	*ours = pipes.ours;
	return a;
fail:
	action_pipes_close(&pipes.its);
	action_pipes_close(&pipes.ours);
	delete_action(a);
	return NULL;
}

struct action *
actions_find(struct actions *actions, pid_t pid)
{
	struct action *a;

	TAILQ_FOREACH (a, actions, entry)
		if (a->pid == pid)
			return a;
	return NULL;
}

/*
 * Send a signal to the action's process group. A child that has not called
 * setsid() yet has no group of its own. In that case, send the signal only to
 * the child.
 */
static void
signal_group(const struct action *a, int sig)
{
	pid_t target = getsid(a->pid) == a->pid ? -a->pid : a->pid;

	kill(target, sig);
	if (sig == SIGTERM)
		kill(target,
			SIGCONT); /* let a stopped process handle SIGTERM */
}

void
action_end(struct action *a, int code, const char *why)
{
	if (a->stage != ACTION_RUNNING)
		return;
	a->ended = why;
	a->ended_code = code;
	a->stage = ACTION_TERMINATED;
	a->deadline = clock_ms() + TERM_MS;
	signal_group(a, SIGTERM);
}

static void
expire(struct action *a, int64_t now)
{
	if (a->stage == ACTION_RUNNING) {
		action_end(a, CODE_FAILED, "the time limit was reached");
	} else {
		a->stage = ACTION_KILLED;
		a->deadline = now + TERM_MS;
		signal_group(a, SIGKILL);
	}
}

int64_t
actions_expire(struct actions *actions, int64_t now)
{
	int64_t next = CLOCK_NEVER;
	struct action *a;

	TAILQ_FOREACH (a, actions, entry) {
		if (now >= a->deadline)
			expire(a, now);
		next = clock_earlier(next, a->deadline);
	}
	return next;
}

void
action_last_signal(const struct action *a)
{
	if (a->stage != ACTION_RUNNING)
		signal_group(a, SIGKILL);
}

/*
 * Set the verdict "refused" and the rule in the action's log. Do nothing if the
 * kernel, not the policy, denied the signals.
 */
static void
set_kill_verdict(struct action *a)
{
	const struct action_report *r = a->report;

	if (r->by_policy > 0)
		snprintf(a->log.rule, sizeof(a->log.rule), "%s.kill.users",
			a->log.client);
	else if (r->outcomes[KILL_DENIED] == 0)
		snprintf(a->log.rule, sizeof(a->log.rule), "protect");
	else
		return;
	a->log.verdict = LOGGER_REFUSED;
}

/*
 * Append a note to the status text. The note says that /proc hides the
 * processes of other users.
 */
static void
add_hidden(struct action *a, char *text, size_t size)
{
	size_t len = strlen(text);

	snprintf(
		text + len, size - len, "; the daemon cannot see " PROC_HIDDEN);
	snprintf(a->log.end, sizeof(a->log.end), "hidden=users");
}

static int
builtin_result(struct action *a, int status, char *text, size_t size)
{
	static const int codes[] = { [ACTION_OK] = CODE_OK,
		[ACTION_PARTLY] = CODE_PARTLY,
		[ACTION_DENIED] = CODE_NOT_ALLOWED,
		[ACTION_NO_MATCH] = CODE_NO_MATCH };

	if (status < 0 || status >= (int)(sizeof(codes) / sizeof(codes[0]))) {
		snprintf(text, size, "%s failed",
			verb_by_number((long)a->verb)->name);
		return CODE_FAILED;
	}
	if (codes[status] == CODE_NOT_ALLOWED)
		set_kill_verdict(a);
	kinds[a->verb].describe(a, text, size);
	if (a->report->hidden)
		add_hidden(a, text, size);
	return codes[status];
}

/*
 * Return the status code in the report, or CODE_FAILED if the code is invalid.
 * Copy the report's text, which possibly has no NUL at its end.
 */
static int
found_result(const struct action *a, char *text, size_t size)
{
	int code = a->report->code;

	snprintf(text, size, "%.*s", (int)sizeof(a->report->text) - 1,
		a->report->text);
	return wire_code_text(code) != NULL && code >= CODE_OK ? code
							       : CODE_FAILED;
}

/*
 * Write the status text of a command that has ended to `text`. Return CODE_OK
 * for any exit status and any signal.
 */
static int
run_result(const siginfo_t *si, char *text, size_t size)
{
	if (si->si_code != CLD_EXITED)
		snprintf(text, size, "the command died of signal %s",
			text_signal_name(si->si_status));
	else if (si->si_status != 0)
		snprintf(text, size, "the command exited with status %d",
			si->si_status);
	else
		snprintf(text, size, "done");
	return CODE_OK;
}

/*
 * Return false for the verb `run`, because its command can get SIGPIPE from a
 * pipe that the command made itself.
 */
bool
action_lost_reader(const struct action *a, const siginfo_t *si)
{
	return a->verb != VERB_RUN && si->si_code == CLD_KILLED &&
	       si->si_status == SIGPIPE;
}

int
action_result(struct action *a, const siginfo_t *si, char *text, size_t size)
{
	bool exited = si->si_code == CLD_EXITED;

	if (a->ended != NULL) {
		snprintf(text, size, "ended by %s: %s",
			a->stage == ACTION_KILLED ? "KILL" : "TERM", a->ended);
		return a->ended_code;
	}
	if (a->verb == VERB_RUN && a->report->code == 0)
		return run_result(si, text, size);
	if (action_lost_reader(a, si)) {
		snprintf(text, size, "the client is gone");
		return CODE_FAILED;
	}
	if (!exited) {
		snprintf(text, size, "the process died of signal %s",
			text_signal_name(si->si_status));
		return CODE_FAILED;
	}
	if (a->report->code != 0)
		return found_result(a, text, size);
	if (!kinds[a->verb].is_program)
		return builtin_result(a, si->si_status, text, size);
	if (si->si_status != 0) {
		snprintf(text, size, "%s failed with exit status %d", a->about,
			si->si_status);
		return CODE_FAILED;
	}
	kinds[a->verb].describe(a, text, size);
	return a->verb == VERB_HALT && !a->dry_run ? CODE_ACCEPTED : CODE_OK;
}

void
action_free(struct actions *actions, struct action *a)
{
	TAILQ_REMOVE(actions, a, entry);
	delete_action(a);
}
