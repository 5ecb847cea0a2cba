#include "actions.h"

#include "buf.h"
#include "clock.h"
#include "fd.h"
#include "program.h"
#include "sandbox.h"
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

#define TERM_MS 2000 /* from SIGTERM to SIGKILL */
#define LOG_FD 3     /* where a built-in action finds the log */

const char *const kill_outcome_names[KILL_OUTCOMES] = { "signalled", "exited",
	"gone", "denied", "protected", "survived", "would-signal" };

/* Where it fails before it is that program, the status says so. */
static void __attribute__((noreturn))
run_command(const struct action_context *c, char *const *argv)
{
	struct action_report *r = c->report;
	const char *what;

	r->code = 0;
	program_become_command(c->command, argv, c->id, &what);
	snprintf(r->text, sizeof(r->text), "cannot %s %s: %s", what,
		strcmp(what, "run") == 0 ? argv[0] : "", strerror(errno));
	r->code = CODE_FAILED;
	_exit(ACTION_FAILED);
}

static void __attribute__((noreturn))
run_builtin(const struct action_context *c, char *const *argv)
{
	/* Of all descriptors, the log's alone is kept. */
	if (dup2(audit_fd(c->audit), LOG_FD) == -1)
		_exit(ACTION_FAILED);
	close_range(LOG_FD + 1, ~0u, 0);
	audit_moved(c->audit, LOG_FD);
	switch (c->request->verb) {
	case VERB_HALT:
		_exit(action_halt(c, argv));
	case VERB_LIST:
		_exit(action_list(c));
	case VERB_KILL:
		_exit(action_kill(c));
	case VERB_CANCEL:
		_exit(action_cancel(c, argv));
	case VERB_SAY:
		_exit(action_say(c, argv));
	case VERB_STATUS:
		_exit(action_status(c));
	case VERB_WHO:
	case VERB_VERBS:
		_exit(action_rows(c));
	default:
		_exit(ACTION_FAILED);
	}
}

static enum sandbox_role
role_of(const struct action_context *c)
{
	switch (c->request->verb) {
	case VERB_LIST:
		return SANDBOX_LIST;
	case VERB_KILL:
		return SANDBOX_KILL;
	default:
		return SANDBOX_EXEC;
	}
}

/* The action's ends of its pipes, and the daemon's. */
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
	char *const *argv, const struct action_pipes *p)
{
	int in = p->in;

	snprintf(c->report->text, sizeof(c->report->text),
		"its process cannot be set up");
	c->report->code = c->command != NULL ? CODE_FAILED : 0;
	if (in == -1)
		in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	/* A group of its own, so that it can be ended as a whole. */
	if (setsid() == -1 || in == -1 || dup2(in, STDIN_FILENO) == -1 ||
		dup2(p->out, STDOUT_FILENO) == -1 ||
		(p->err != -1 && dup2(p->err, STDERR_FILENO) == -1))
		_exit(ACTION_FAILED);
	sandbox_child(role_of(c));
	/* A halt may outlive us, and must not die of saying so to nobody. */
	if (c->request->verb == VERB_HALT)
		signal(SIGPIPE, SIG_IGN);
	if (c->request->verb == VERB_RUN)
		run_command(c, argv);
	run_builtin(c, argv);
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
	char *const *argv, const char *about, int64_t deadline,
	struct action_pipes *ours)
{
	struct action_context context = *c;
	struct action *a = new_action(about);
	struct pipes pipes = { NO_PIPES, NO_PIPES };

	if (a == NULL)
		return NULL;
	context.report = a->report;
	if (make_pipes(&pipes, c->command) != 0)
		goto fail;
	if ((a->pid = fork()) == 0)
		run_child(&context, argv, &pipes.its);
	if (a->pid == -1)
		goto fail;
	/* No process forked later may write into this one's report. */
	madvise(a->report, sizeof(*a->report), MADV_DONTFORK);
	action_pipes_close(&pipes.its);
	a->verb = c->request->verb;
	a->dry_run = c->request->dry_run;
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
 * The child may not have come to its setsid() yet: then there is no such
 * group, and what there is is the child.
 */
static void
signal_group(const struct action *a, int sig)
{
	pid_t target = getsid(a->pid) == a->pid ? -a->pid : a->pid;

	kill(target, sig);
	if (sig == SIGTERM)
		kill(target, SIGCONT); /* a stopped one cannot end */
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

void
actions_expire(struct actions *actions, int64_t now)
{
	struct action *a;

	TAILQ_FOREACH (a, actions, entry) {
		if (now < a->deadline)
			continue;
		if (a->stage == ACTION_RUNNING) {
			action_end(a, CODE_FAILED, "it took too long");
		} else {
			a->stage = ACTION_KILLED;
			a->deadline = now + TERM_MS;
			signal_group(a, SIGKILL);
		}
	}
}

int64_t
actions_deadline(const struct actions *actions)
{
	const struct action *a;
	int64_t first = CLOCK_NEVER;

	TAILQ_FOREACH (a, actions, entry)
		if (a->deadline < first)
			first = a->deadline;
	return first;
}

void
action_last_signal(const struct action *a)
{
	if (a->stage != ACTION_RUNNING)
		signal_group(a, SIGKILL);
}

static void
describe_list(const struct action_report *r, char *text, size_t size)
{
	if (r->rows == 0)
		snprintf(text, size, "no process matches");
	else
		snprintf(text, size,
			r->rows == 1 ? "1 process" : "%u processes", r->rows);
}

/* By whom; the counts are the action's word, and may be anything. */
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

/* "2 signalled, 1 denied by the kernel" */
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

/* That each of them must not be killed is a verdict too, if it is ours. */
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
	a->log.verdict = AUDIT_REFUSED;
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
	if (a->verb == VERB_KILL)
		describe_kill(a, text, size);
	else if (a->verb == VERB_LIST)
		describe_list(a->report, text, size);
	else
		snprintf(text, size, "%s", a->about);
	return codes[status];
}

/* Its own word, of which nothing is taken for granted. */
static int
found_result(const struct action *a, char *text, size_t size)
{
	int code = a->report->code;

	snprintf(text, size, "%.*s", (int)sizeof(a->report->text) - 1,
		a->report->text);
	return wire_code_text(code) != NULL && code >= CODE_OK ? code
							       : CODE_FAILED;
}

/* That it has ended is what was asked for; how, is for the client to judge. */
static int
run_result(const siginfo_t *si, char *text, size_t size)
{
	if (si->si_code != CLD_EXITED)
		snprintf(text, size, "it died of signal %s",
			text_signal_name(si->si_status));
	else if (si->si_status != 0)
		snprintf(text, size, "it exited with %d", si->si_status);
	else
		snprintf(text, size, "done");
	return CODE_OK;
}

/* What a command writes to may be another program of its own. */
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
		snprintf(text, size, "it died of signal %s",
			text_signal_name(si->si_status));
		return CODE_FAILED;
	}
	if (a->report->code != 0)
		return found_result(a, text, size);
	if (a->verb != VERB_HALT && a->verb != VERB_CANCEL &&
		a->verb != VERB_SAY)
		return builtin_result(a, si->si_status, text, size);
	if (si->si_status != 0) {
		snprintf(text, size, "%s failed with exit status %d", a->about,
			si->si_status);
		return CODE_FAILED;
	}
	snprintf(text, size, "%s", a->about);
	return a->verb == VERB_HALT && !a->dry_run ? CODE_ACCEPTED : CODE_OK;
}

void
action_free(struct actions *actions, struct action *a)
{
	TAILQ_REMOVE(actions, a, entry);
	delete_action(a);
}
