#include "cli/host_select.h"
#include "cmd/commands.h"
#include "cmd/hosts_format.h"
#include "hosts/host_expand.h"
#include "hosts/mac_file.h"
#include "util/message.h"
#include "util/write_out.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * True for --format=macs. Only this format is for people. The other formats are
 * for other programs.
 */
static bool
wants_macs(const struct options *o)
{
	return options_given(o, OPT_FORMAT) &&
	       strcmp(o->values[OPT_FORMAT], "macs") == 0;
}

/*
 * Append the hosts with their MAC addresses. Return 0, or -1 with a sentence in
 * `error`.
 */
static int
format_with_macs(const struct options *o, const struct hosts *hosts,
	struct buf *out, struct buf *error)
{
	char *macs = mac_file_read(error);

	if (macs == NULL)
		return -1;
	if (options_given(o, OPT_JSON))
		hosts_format_json(out, hosts, macs);
	else
		hosts_format_macs(out, hosts, macs);
	free(macs);
	return 0;
}

/*
 * Append the hosts in the format that the options request. Return 0, or -1 with
 * a sentence in `error`.
 */
static int
format(const struct options *o, const struct hosts *hosts,
	const struct client_conf *conf, struct buf *out, struct buf *error)
{
	if (options_given(o, OPT_JSON) || wants_macs(o))
		return format_with_macs(o, hosts, out, error);
	if (options_given(o, OPT_FORMAT))
		return hosts_format_for(
			out, o->values[OPT_FORMAT], hosts, conf, error);
	if (options_given(o, OPT_GROUPS))
		return hosts_format_groups(out, hosts, conf, error);
	if (options_given(o, OPT_HOW_MANY))
		buf_addf(out, "%zu\n", hosts->n);
	else if (options_given(o, OPT_FOLD))
		hosts_format_folded(out, hosts);
	else
		hosts_format_lines(out, hosts);
	return 0;
}

/*
 * Copy the options, and set the list of hosts in the copy. The list is the
 * argument of the command, or else the list in the options. Without both, the
 * list is all configured hosts. Return 0, or -1 with a sentence in `error`.
 */
static int
take_list(const struct invocation *inv, struct options *o, struct buf *error)
{
	*o = inv->options;
	if (inv->nargs > 0 && options_given(o, OPT_HOSTS)) {
		buf_adds(error,
			"give the hosts once: as the argument or with -H");
		return -1;
	}
	if (inv->nargs > 0)
		options_set(o, OPT_HOSTS, inv->args[0]);
	else if (!options_given(o, OPT_HOSTS) &&
		 !options_given(o, OPT_HOSTS_FILE))
		options_set(o, OPT_HOSTS, HOST_ALL);
	return 0;
}

static enum outcome
run(const struct invocation *inv)
{
	struct client_conf conf = { 0 };
	struct hosts hosts = { 0 };
	struct buf out = { 0 }, error = { 0 };
	struct options options;
	enum outcome outcome = OUTCOME_USAGE;

	if (take_list(inv, &options, &error) == 0 &&
		host_select(&hosts, &conf, &options, HOST_SELECT_WARN,
			&error) == 0 &&
		format(&options, &hosts, &conf, &out, &error) == 0)
		outcome = write_out_buf(STDOUT_FILENO, &out) == 0 ? OUTCOME_DONE
								  : OUTCOME_NO;
	else
		message_lines(NULL, buf_str(&error));
	buf_free(&out);
	buf_free(&error);
	hosts_free(&hosts);
	client_conf_free(&conf);
	return outcome;
}

const struct command cmd_hosts = { .name = "hosts",
	.args = "[HOSTS]",
	.help = "print the hosts that a list names",
	.examples = "hosts 'node[01-32],@web'|one per line\n"
		    "hosts 'node[01-32]' -x node07 --count|print their number\n"
		    "hosts --hosts-file hosts --fold|as node[01-32]\n"
		    "hosts @lab --json|with transport and address\n"
		    "hosts @lab --format=macs|with MAC addresses, for 'wake'\n"
		    "hosts --format=ansible|all configured hosts\n",
	.options = OPT_WHERE | OPT_BIT(OPT_HOW_MANY) | OPT_BIT(OPT_FOLD) |
		   OPT_BIT(OPT_FORMAT) | OPT_BIT(OPT_GROUPS) |
		   OPT_BIT(OPT_JSON),
	.args_max = 1,
	.takes = { { ARG_TARGET, NULL } },
	.run = run };
