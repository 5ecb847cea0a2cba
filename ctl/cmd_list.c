#include "call.h"
#include "command.h"
#include "notice.h"
#include "raw.h"
#include "report.h"
#include "shape.h"
#include "view.h"

/* --raw as it comes: the fast way, which keeps nothing. */
static enum outcome
stream(struct invocation *inv)
{
	struct buf problem = { 0 };
	struct reply reply = { 0 };
	enum outcome outcome;

	if (raw_stream(inv, &reply, &problem) == 0)
		outcome = report_status(inv, &reply);
	else if (problem.len > 0)
		outcome = report_failure(inv, &reply, NULL, buf_str(&problem));
	else
		outcome = OUTCOME_NO; /* the output failed, and said why */
	reply_free(&reply);
	buf_free(&problem);
	return outcome;
}

static enum outcome
show(const struct invocation *inv, const struct reply *r)
{
	struct buf error = { 0 };
	struct view view = { 0 };
	enum outcome outcome;

	if (shape(inv, r, &view, &error) != 0) {
		notice("%s", buf_str(&error));
		outcome = OUTCOME_USAGE;
	} else {
		outcome = report_reply(inv, r, &view, false);
	}
	view_free(&view);
	buf_free(&error);
	return outcome;
}

enum outcome
cmd_list(struct invocation *inv)
{
	struct buf problem = { 0 };
	struct reply reply = { 0 };
	enum outcome outcome;

	if (invocation_has(inv, OPT_RAW) && !invocation_has(inv, OPT_SORT) &&
		!invocation_has(inv, OPT_COLUMNS))
		return stream(inv);
	if (call_ask(inv, &inv->request, &reply, &problem) == 0)
		outcome = show(inv, &reply);
	else
		outcome = report_failure(inv, &reply, NULL, buf_str(&problem));
	reply_free(&reply);
	buf_free(&problem);
	return outcome;
}
