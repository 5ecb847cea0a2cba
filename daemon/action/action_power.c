/*
 * The actions of the verbs `halt`, `cancel` and `status`, which run programs
 * that talk to systemd-logind. Such a program may block, so only the process of
 * an action runs it.
 */
#include "action/action_report.h"

#include "action/exec.h"
#include "action/logind.h"
#include "clock.h"
#include "config/settings.h"
#include "fd.h"
#include "wire.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Run the program `argv`, which queries logind, and parse its output with
 * `read`. Return 1 and append a text to `out`, or return 0 if logind has no
 * inhibitor or schedule. Return -1 if the program fails or is not configured.
 * After -1, the caller can still try to halt, because logind itself refuses a
 * forbidden halt.
 */
static int
ask(const struct action_context *c, char *const *argv,
	int (*read)(const char *, struct buf *), struct buf *out)
{
	struct buf text = { 0 };
	int result = -1;

	clock_follow_zone();
	if (argv[0] != NULL && exec_read(argv, c->id, &text) == 0)
		result = read(buf_str(&text), out);
	buf_free(&text);
	return result;
}

static bool
is_now(const struct request *r)
{
	return strcmp(r->strings[REQUEST_WHEN], "now") == 0;
}

/*
 * Run the program that schedules the halt, and read the scheduled time back
 * from logind. If the program fails, return its exit status, or die of the
 * signal that killed the program. Otherwise return an exit status of enum
 * action_exit.
 */
static int
schedule(const struct action_context *c)
{
	int status = exec_run(c->argv, c->id);
	struct buf what = { 0 };

	if (status == -1)
		return action_report(
			c, CODE_FAILED, "cannot start %s", c->argv[0]);
	if (WIFSIGNALED(status))
		kill(getpid(), WTERMSIG(status));
	if (status != 0)
		return WIFEXITED(status) ? WEXITSTATUS(status) : ACTION_FAILED;
	if (ask(c, c->settings->scheduled, logind_schedule_with_zone, &what) ==
		1)
		return action_report(c, CODE_ACCEPTED, "%s", buf_str(&what));
	return ACTION_OK;
}

/*
 * Report why logind cannot suspend the machine. `word` is the reply of logind.
 */
static int
find_cannot(const struct action_context *c, const char *word)
{
	const char *mode = halt_mode_names[c->request->mode];

	if (strcmp(word, "na") == 0)
		return action_report(c, CODE_CONFLICT,
			"the machine cannot %s: this is not possible with its "
			"hardware, kernel%s or systemd-sleep.conf(5)",
			mode,
			c->request->mode == HALT_HIBERNATE ? ", swap space"
							   : "");
	if (strcmp(word, "no") == 0 || strcmp(word, "challenge") == 0)
		return action_report(c, CODE_CONFLICT,
			"polkit does not allow bridled to %s the machine: "
			"install bridle.rules, see bridled(8)",
			mode);
	return action_report(c, CODE_CONFLICT,
		"the machine cannot %s: systemd-logind replies \"%s\"", mode,
		word);
}

/*
 * Suspend or hibernate the machine. If logind cannot do this, or an inhibitor
 * forbids this, report the reason instead.
 */
static int
suspend(const struct action_context *c)
{
	const struct settings *s = c->settings;
	struct buf text = { 0 };

	if (ask(c,
		    c->request->mode == HALT_SUSPEND ? s->can_suspend
						     : s->can_hibernate,
		    logind_cannot, &text) == 1)
		return find_cannot(c, buf_str(&text));
	if (!s->override_inhibitors &&
		ask(c, s->inhibitors, logind_sleep_inhibitor, &text) == 1)
		return action_report(c, CODE_CONFLICT,
			"a sleep inhibitor is held by %s", buf_str(&text));
	if (c->request->dry_run)
		return ACTION_OK;
	exec_program(c->argv, c->id);
}

int
action_halt(const struct action_context *c)
{
	const struct settings *s = c->settings;
	struct buf text = { 0 };

	if (halt_mode_sleeps(c->request->mode))
		return suspend(c);
	if (!s->override_inhibitors &&
		ask(c, s->inhibitors, logind_inhibitor, &text) == 1)
		return action_report(c, CODE_CONFLICT,
			"a shutdown inhibitor is held by %s", buf_str(&text));
	/* An immediate halt does not conflict with a scheduled shutdown. */
	if (!is_now(c->request) &&
		ask(c, s->scheduled, logind_schedule, &text) == 1)
		return action_report(c, CODE_CONFLICT,
			"%s is scheduled: cancel it first", buf_str(&text));
	if (c->request->dry_run)
		return ACTION_OK;
	if (!is_now(c->request) && s->scheduled[0] != NULL)
		return schedule(c);
	exec_program(c->argv, c->id);
}

/*
 * Report that the program of `cancel` failed. `status` is the program's wait
 * status, or -1 if the program did not start. The reply already contains the
 * program's output.
 */
static int
find_failure(const struct action_context *c, int status)
{
	if (status == -1)
		return action_report(
			c, CODE_FAILED, "cannot start %s", c->argv[0]);
	if (WIFSIGNALED(status))
		return action_report(c, CODE_FAILED,
			"the cancel program died of signal %d",
			WTERMSIG(status));
	return action_report(c, CODE_FAILED,
		"the cancel program failed with exit status %d",
		WEXITSTATUS(status));
}

int
action_cancel(const struct action_context *c)
{
	struct buf before = { 0 }, after = { 0 };
	int known = ask(c, c->settings->scheduled, logind_schedule, &before);
	int status;

	if (known == 0)
		return action_report(c, CODE_NO_MATCH, "no halt is scheduled");
	if ((status = exec_run(c->argv, c->id)) != 0)
		return find_failure(c, status);
	if (known < 0)
		return ACTION_OK;
	/*
	 * Read the schedule again, because another program may have scheduled a
	 * new halt.
	 */
	switch (ask(c, c->settings->scheduled, logind_schedule, &after)) {
	case 0:
		return action_report(
			c, CODE_OK, "cancelled: %s", buf_str(&before));
	case 1:
		return action_report(c, CODE_FAILED,
			"cancel had no effect: %s is still scheduled",
			buf_str(&after));
	default:
		return action_report(c, CODE_FAILED,
			"the cancel program succeeded, but the schedule cannot "
			"be read: check with shutdown --show");
	}
}

int
action_status(const struct action_context *c)
{
	struct buf what = { 0 }, *out = c->rows;
	int known = ask(c, c->settings->scheduled, logind_schedule, &what);

	wire_record(out);
	wire_puts(out, "scheduled");
	wire_puts(out, known == 1   ? buf_str(&what)
		       : known == 0 ? "none"
				    : "unknown");
	wire_end(out);
	return action_rows(c);
}

int
action_rows(const struct action_context *c)
{
	const struct buf *out = c->rows;

	return out->failed || fd_write_all(
				      STDOUT_FILENO, out->data, out->len) != 0
		       ? ACTION_FAILED
		       : ACTION_OK;
}
