#include "cmd/commands.h"
#include "fanout/run_on_hosts.h"
#include "output/raw.h"
#include "output/render.h"

/*
 * Print each record of --raw when the record arrives. The records are not kept
 * in memory.
 */
static enum outcome
stream(const struct invocation *inv)
{
	const struct host *host = &inv->hosts.v[0];
	struct endpoint e = endpoint_of(inv, host);
	struct buf problem = { 0 };
	struct reply reply = { 0 };
	enum outcome outcome;
	unsigned hinted = 0;

	if (raw_stream(&e, &inv->request, &reply, &problem) == 0)
		outcome = render_status(inv, host, &reply, &hinted);
	else if (problem.len > 0)
		outcome = render_failure(
			inv, host, &reply, NULL, buf_str(&problem));
	else
		/* write_out() has printed why the output failed. */
		outcome = OUTCOME_NO;
	reply_free(&reply);
	buf_free(&problem);
	return outcome;
}

static enum outcome
run(const struct invocation *inv)
{
	const option_set shaped = OPT_BIT(OPT_SORT) | OPT_BIT(OPT_COLUMNS);

	return !inv->several && invocation_has(inv, OPT_RAW) &&
			       (inv->options.given & shaped) == 0
		       ? stream(inv)
		       : run_on_hosts(inv);
}

const struct command cmd_list = { .name = "list",
	.args = "[GLOB]",
	.help = "show all processes, or processes with a matching name",
	.examples = "list|every process of this machine\n"
		    "list 'ssh*' --sort -rss_kib|the largest first\n"
		    "-H web1 list --tree|processes of web1, as a tree\n"
		    "list --user www-data --columns pid,name,command|\n"
		    "list --watch --sort -cpu_ms|update every 2 s\n"
		    "list --json|one object, for jq\n"
		    "list --raw|tab-separated, for awk\n",
	.options = OPT_REMOTE | OPT_BIT(OPT_USER) | OPT_BIT(OPT_SORT) |
		   OPT_BIT(OPT_TREE) | OPT_BIT(OPT_COLUMNS) |
		   OPT_BIT(OPT_WATCH),
	.args_max = 1,
	.takes = { { ARG_PATTERN, NULL } },
	.verb = VERB_LIST,
	.run = run };
