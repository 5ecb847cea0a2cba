#include "cmd/commands.h"
#include "fanout/run_on_hosts.h"
#include "output/command_output.h"
#include "output/render.h"
#include "remote/call.h"
#include "text.h"

#include <unistd.h>

#define SIGNAL_BASE 128 /* a shell adds this number to a signal's number */

/*
 * If the command has failed, return OUTCOME_EXIT plus the command's exit
 * status. If a signal has ended the command, return OUTCOME_EXIT plus
 * SIGNAL_BASE plus the signal's number. Otherwise return `outcome`. `outcome`
 * can be a failure if output was lost.
 */
static enum outcome
exit_outcome(const struct reply *r, enum outcome outcome)
{
	const char *status = reply_pair(r, "exit");
	const char *name = reply_pair(r, "signal");
	long v;

	if (!reply_run_failed(r))
		return outcome;
	if (status != NULL && text_number(status, 0, 255, &v) == 0)
		return (enum outcome)(OUTCOME_EXIT + v);
	if (name != NULL && text_signal(name) > 0)
		return (enum outcome)(
			OUTCOME_EXIT + SIGNAL_BASE + text_signal(name));
	return outcome;
}

/*
 * Run the command on one host. Print each part of the command's output when the
 * part arrives.
 */
static enum outcome
run_on_one(const struct invocation *inv)
{
	const struct host *host = &inv->hosts.v[0];
	struct endpoint e = endpoint_of(inv, host);
	int input = invocation_has(inv, OPT_STDIN) ? STDIN_FILENO : -1;
	struct buf problem = { 0 };
	struct command_outputs outputs;
	struct reply reply = { 0 };
	enum outcome outcome;
	bool lost;
	int result;

	command_outputs_init(&outputs);
	if (render_is_text(inv)) {
		reply.sink = command_outputs_take;
		reply.taker = &outputs;
	}
	result =
		call_ask_with_input(&e, &inv->request, input, &reply, &problem);
	lost = command_outputs_end(&outputs) != 0;
	if (result != 0)
		outcome = render_failure(
			inv, host, &reply, NULL, buf_str(&problem));
	else if (!lost)
		outcome = render_reply(inv, host, &reply, NULL, false);
	/* Lost output is a failure, even if the command succeeded. */
	if (lost)
		outcome = OUTCOME_NO;
	if (result == 0 && outcome <= OUTCOME_NO &&
		invocation_has(inv, OPT_EXIT_STATUS))
		outcome = exit_outcome(&reply, outcome);
	reply_free(&reply);
	buf_free(&problem);
	return outcome;
}

static enum outcome
run(const struct invocation *inv)
{
	return inv->several ? run_on_hosts(inv) : run_on_one(inv);
}

const struct command cmd_run = { .name = "run",
	.args = "COMMAND [ARG]...",
	.help = "run a command that the host's configuration defines",
	.examples =
		"run restart unit=nginx|an argument by name\n"
		"run restart nginx|or by position\n"
		"verbs|list the commands and arguments\n"
		"run restore --stdin <dump|with standard input\n"
		"-H web1 run check_disk --exit-status=3|for Nagios\n"
		"-H @web run restart nginx --batch 2 -y|two hosts at a time\n",
	.options = (OPT_REMOTE & ~OPT_BIT(OPT_RAW)) | OPT_BIT(OPT_STDIN) |
		   OPT_BIT(OPT_EXIT_STATUS) | OPT_BIT(OPT_ALLOW_TRUNCATED) |
		   OPT_BIT(OPT_YES) | OPT_STAGED,
	.args_min = 1,
	.args_max = 1 + REQUEST_ARGS_MAX,
	.takes = { { ARG_RUN, NULL }, { ARG_RUN_ARG, NULL } },
	.verb = VERB_RUN,
	.run = run };
