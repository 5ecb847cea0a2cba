#include "call.h"
#include "clock.h"
#include "command.h"
#include "pong.h"
#include "report.h"

/* status, verbs: a table says it all */
enum outcome
cmd_table(struct invocation *inv)
{
	return report_request(inv, false);
}

enum outcome
cmd_cancel(struct invocation *inv)
{
	return report_request(inv, true);
}

enum outcome
cmd_ping(struct invocation *inv)
{
	struct buf problem = { 0 };
	struct reply reply = { 0 };
	int64_t start = clock_us(), elapsed;
	enum outcome outcome;

	if (call_ask(inv, &inv->request, &reply, &problem) == 0) {
		elapsed = clock_us() - start;
		outcome = report_reply(inv, &reply, NULL, false);
		if (outcome == OUTCOME_DONE && report_is_for_people(inv) &&
			pong_print(inv, &reply, elapsed) != 0)
			outcome = OUTCOME_NO;
	} else {
		outcome = report_failure(inv, NULL, NULL, buf_str(&problem));
	}
	reply_free(&reply);
	buf_free(&problem);
	return outcome;
}

enum outcome
cmd_explain(struct invocation *inv)
{
	struct buf problem = { 0 };
	struct reply reply = { 0 };
	struct view view = { 0 };
	enum outcome outcome;

	if (call_ask(inv, &inv->request, &reply, &problem) != 0 ||
		report_view(inv, &reply, &view) != 0) {
		outcome = report_failure(inv, NULL, NULL, buf_str(&problem));
	} else {
		outcome = report_reply(inv, &reply, &view, false);
		if (outcome == OUTCOME_DONE)
			outcome = report_outcome(reply_explained(&reply));
	}
	view_free(&view);
	reply_free(&reply);
	buf_free(&problem);
	return outcome;
}
