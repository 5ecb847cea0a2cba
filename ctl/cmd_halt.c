#include "call.h"
#include "command.h"
#include "confirm.h"
#include "notice.h"
#include "report.h"
#include "text.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const questions[HALT_MODES] = { [HALT_HALT] = "Halt",
	[HALT_POWEROFF] = "Power off",
	[HALT_REBOOT] = "Reboot" };

/* Which machine that is, for someone about to stop the wrong one. */
static void
add_place(struct buf *out, const struct invocation *inv)
{
	char name[HOST_NAME_MAX + 1] = "";

	if (inv->target.kind != TARGET_UNIX) {
		buf_adds(out, inv->target.host);
		return;
	}
	/* Another socket may have been forwarded from anywhere. */
	if (invocation_has(inv, OPT_HOSTS)) {
		buf_addf(out, "the machine behind %s", inv->target.name);
		return;
	}
	gethostname(name, sizeof(name) - 1);
	buf_addf(out, "this machine (%s)", name);
}

static void
add_time(struct buf *out, const char *when)
{
	if (strcmp(when, "+1") == 0)
		buf_adds(out, " in a minute");
	else if (*when == '+')
		buf_addf(out, " in %s minutes", when + 1);
	else if (strcmp(when, "now") == 0)
		buf_adds(out, " now");
	else
		buf_addf(out, " at %s (its time)", when);
}

static bool
ask(const struct invocation *inv, const char *preview)
{
	struct buf text = { 0 };
	bool yes;

	text_safe(&text, preview, strlen(preview));
	fprintf(stderr, "%s\n", buf_str(&text));
	buf_reset(&text);
	buf_addf(&text, "%s ", questions[inv->request.mode]);
	add_place(&text, inv);
	add_time(&text, inv->request.strings[REQUEST_WHEN]);
	buf_addc(&text, '?');
	yes = confirm_ask(buf_str(&text));
	buf_free(&text);
	return yes;
}

static enum outcome
preview_and_halt(const struct invocation *inv)
{
	struct request dry = inv->request;
	struct buf problem = { 0 };
	struct reply preview = { 0 };
	enum outcome outcome;

	dry.dry_run = true;
	if (call_ask(inv, &dry, &preview, &problem) != 0) {
		outcome = report_failure(inv, NULL, NULL, buf_str(&problem));
	} else if (report_outcome(preview.code) != OUTCOME_DONE) {
		outcome = report_reply(inv, &preview, NULL, false);
	} else if (ask(inv, preview.said)) {
		outcome = report_request(inv, true);
	} else {
		notice("nothing was done");
		outcome = OUTCOME_NO;
	}
	reply_free(&preview);
	buf_free(&problem);
	return outcome;
}

enum outcome
cmd_halt(struct invocation *inv)
{
	if (invocation_has(inv, OPT_DRY_RUN) || invocation_has(inv, OPT_YES))
		return report_request(inv, true);
	if (!confirm_possible(inv->command->name))
		return OUTCOME_USAGE;
	return preview_and_halt(inv);
}
