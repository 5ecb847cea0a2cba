/*
 * halt, cancel, status: what asks the machine's own service manager. Whatever
 * can hang is done here, in the action's process.
 */
#include "actions.h"

#include "fd.h"
#include "logind.h"
#include "program.h"
#include "settings.h"
#include "wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The status, in place of one that tells of the exit of a program. */
static int __attribute__((format(printf, 3, 4)))
find(const struct action_context *c, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(c->report->text, sizeof(c->report->text), fmt, args);
	va_end(args);
	c->report->code = code;
	return ACTION_FOUND;
}

/*
 * 1 and what was answered; 0 if there is no such thing. Where nobody can be
 * asked, that is no reason not to go on: whoever carries it out will refuse.
 */
static int
ask(const struct action_context *c, char *const *argv,
	int (*read)(const char *, struct buf *), struct buf *out)
{
	struct buf text = { 0 };
	int result = -1;

	if (argv[0] != NULL && program_read(argv, c->id, &text) == 0)
		result = read(buf_str(&text), out);
	buf_free(&text);
	return result;
}

static bool
is_now(const struct request *r)
{
	return strcmp(r->strings[REQUEST_WHEN], "now") == 0;
}

int
action_halt(const struct action_context *c, char *const *argv)
{
	const struct settings *s = c->settings;
	struct buf text = { 0 };

	if (!s->override_inhibitors &&
		ask(c, s->inhibitors, logind_inhibitor, &text) == 1)
		return find(
			c, CODE_IN_THE_WAY, "held back by %s", buf_str(&text));
	/* What happens at once needs no place in a schedule. */
	if (!is_now(c->request) &&
		ask(c, s->scheduled, logind_schedule, &text) == 1)
		return find(c, CODE_IN_THE_WAY,
			"%s is scheduled: cancel it first", buf_str(&text));
	if (c->request->dry_run)
		return ACTION_OK;
	program_become(argv, c->id);
}

/* Why a program has not worked; what it wrote is on its way already. */
static int
find_failure(const struct action_context *c, int status)
{
	if (status == -1)
		return find(c, CODE_FAILED, "cannot start the program");
	if (WIFSIGNALED(status))
		return find(c, CODE_FAILED, "cancel died of signal %d",
			WTERMSIG(status));
	return find(c, CODE_FAILED, "cancel failed with exit status %d",
		WEXITSTATUS(status));
}

int
action_cancel(const struct action_context *c, char *const *argv)
{
	struct buf before = { 0 }, after = { 0 };
	int known = ask(c, c->settings->scheduled, logind_schedule, &before);
	int status;

	if (known == 0)
		return find(c, CODE_NO_MATCH, "no halt is scheduled");
	if ((status = program_run(argv, c->id)) != 0)
		return find_failure(c, status);
	if (known < 0)
		return ACTION_OK;
	/* The program's word is not enough: others may schedule too. */
	switch (ask(c, c->settings->scheduled, logind_schedule, &after)) {
	case 0:
		return find(c, CODE_OK, "cancelled: %s", buf_str(&before));
	case 1:
		return find(c, CODE_FAILED, "%s is scheduled nevertheless",
			buf_str(&after));
	default:
		return find(c, CODE_FAILED,
			"cancelled, it seems, but what is scheduled cannot be "
			"read back");
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
