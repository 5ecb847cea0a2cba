#include "call.h"
#include "command.h"
#include "report.h"
#include "run_output.h"
#include "text.h"

#include <stdlib.h>

#define SIGNAL_BASE 128 /* as a shell has it */

/* What the command itself came to, for --exit-status. */
static void
take_status(struct invocation *inv, const struct reply *r)
{
	const char *status = reply_pair(r, "exit");
	const char *name = reply_pair(r, "signal");
	long v;

	if (r->code != CODE_OK)
		return; /* it came to no end of its own */
	if (status != NULL && text_number(status, 0, 255, &v) == 0)
		inv->exit_status = (int)v;
	else if (name != NULL && text_signal(name) > 0)
		inv->exit_status = SIGNAL_BASE + text_signal(name);
	else
		return;
	inv->exit_known = true;
}

enum outcome
cmd_run(struct invocation *inv)
{
	bool people = report_is_for_people(inv);
	struct buf problem = { 0 };
	struct run_outputs outputs;
	struct reply reply = { 0 };
	enum outcome outcome;
	int result;

	run_outputs_init(&outputs);
	if (people) {
		reply.sink = run_outputs_take;
		reply.taker = &outputs;
	}
	result = call_ask(inv, &inv->request, &reply, &problem);
	/* What was not written has not been seen, whatever the status is. */
	if (run_outputs_end(&outputs) != 0)
		outcome = OUTCOME_NO;
	else if (result != 0)
		outcome = report_failure(inv, &reply, NULL, buf_str(&problem));
	else if ((outcome = report_reply(inv, &reply, NULL, false)) <=
		 OUTCOME_NO)
		take_status(inv, &reply);
	reply_free(&reply);
	buf_free(&problem);
	return outcome;
}
