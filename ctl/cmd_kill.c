#include "call.h"
#include "command.h"
#include "confirm.h"
#include "kill_batch.h"
#include "notice.h"
#include "report.h"
#include "table.h"
#include "text.h"

#include <unistd.h>

static enum outcome
kill_chosen(const struct invocation *inv, const struct reply *preview)
{
	struct buf problem = { 0 };
	struct reply reply = { 0 };
	struct view view = { 0 };
	enum outcome outcome;
	int result = kill_batch_run(inv, preview, &reply, &problem);

	if (report_view(inv, &reply, &view) != 0)
		outcome = report_failure(inv, NULL, NULL, "out of memory");
	else if (result != 0)
		/* Some may be dead already: show what is known. */
		outcome = report_failure(inv, &reply, &view, buf_str(&problem));
	else
		outcome = report_reply(inv, &reply, &view, true);
	view_free(&view);
	reply_free(&reply);
	buf_free(&problem);
	return outcome;
}

/* Shows the preview and asks. */
static bool
ask(const struct invocation *inv, const struct reply *preview)
{
	const struct request *r = &inv->request;
	size_t n = kill_batch_count(preview);
	struct buf question = { 0 };
	struct view view = { 0 };
	bool yes = false;

	if (view_all(&view, preview) != 0)
		return false;
	view_hide(&view, preview, "token");
	if (table_print(preview, &view, STDERR_FILENO) == 0) {
		if (n == 1)
			buf_adds(&question, "Kill this process");
		else
			buf_addf(&question, "Kill these %zu processes", n);
		if (invocation_has(inv, OPT_HOSTS))
			buf_addf(&question, " on %s", inv->target.name);
		buf_addf(&question, " with %s", text_signal_name(r->signal));
		if (r->escalate != 0)
			buf_addf(&question, ", after %u s with %s", r->wait,
				text_signal_name(r->escalate));
		buf_addc(&question, '?');
		yes = confirm_ask(buf_str(&question));
	}
	buf_free(&question);
	view_free(&view);
	return yes;
}

static enum outcome
preview_and_kill(const struct invocation *inv)
{
	struct request dry = inv->request;
	struct buf problem = { 0 };
	struct reply preview = { 0 };
	struct view view = { 0 };
	enum outcome outcome;

	dry.dry_run = true;
	if (call_ask(inv, &dry, &preview, &problem) != 0) {
		outcome = report_failure(inv, NULL, NULL, buf_str(&problem));
	} else if (kill_batch_count(&preview) == 0) {
		outcome = report_view(inv, &preview, &view) == 0
				  ? report_reply(inv, &preview, &view, true)
				  : OUTCOME_NO;
	} else if (ask(inv, &preview)) {
		outcome = kill_chosen(inv, &preview);
	} else {
		notice("nothing was killed");
		outcome = OUTCOME_NO;
	}
	view_free(&view);
	reply_free(&preview);
	buf_free(&problem);
	return outcome;
}

enum outcome
cmd_kill(struct invocation *inv)
{
	if (invocation_has(inv, OPT_DRY_RUN) || invocation_has(inv, OPT_YES))
		return report_request(inv, true);
	if (!confirm_possible(inv->command->name))
		return OUTCOME_USAGE;
	return preview_and_kill(inv);
}
