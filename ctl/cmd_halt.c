#include "await.h"
#include "call.h"
#include "clock.h"
#include "command.h"
#include "confirm.h"
#include "halt_words.h"
#include "notice.h"
#include "report.h"
#include "text.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static bool
ask(const struct invocation *inv, const char *preview)
{
	struct buf text = { 0 };
	bool yes;

	text_safe(&text, preview, strlen(preview));
	fprintf(stderr, "%s\n", buf_str(&text));
	buf_reset(&text);
	buf_addf(&text, "%s ", halt_words(&inv->request));
	add_place(&text, inv);
	halt_words_when(&text, &inv->request);
	buf_addc(&text, '?');
	yes = confirm_ask(buf_str(&text));
	buf_free(&text);
	return yes;
}

/* Waits until the host is back, and says so. */
static enum outcome
wait_for_return(struct invocation *inv, int64_t since)
{
	struct answer a = { 0 };
	enum outcome outcome;

	await_return(inv, &a, since);
	if (a.fate == FATE_OK)
		outcome = report_reply(inv, &a.reply, NULL, true);
	else
		outcome = report_failure(inv, NULL, NULL, buf_str(&a.problem));
	answer_free(&a);
	return outcome;
}

static enum outcome
halt(struct invocation *inv)
{
	int64_t begin = clock_ms();
	enum outcome outcome = report_request(inv, true);

	if (outcome == OUTCOME_DONE && inv->await > 0)
		outcome = wait_for_return(inv, begin);
	return outcome;
}

static enum outcome
preview_and_halt(struct invocation *inv)
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
		outcome = halt(inv);
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
	if (invocation_has(inv, OPT_DRY_RUN))
		return report_request(inv, true);
	if (invocation_has(inv, OPT_YES))
		return halt(inv);
	if (!confirm_possible(inv->command->name))
		return OUTCOME_USAGE;
	return preview_and_halt(inv);
}
