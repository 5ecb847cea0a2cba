#include "cmd/commands.h"
#include "config/announce.h"
#include "config/config_apply.h"
#include "util/message.h"

#include <string.h>

static enum outcome
run(const struct invocation *inv)
{
	const char *what = inv->args[0];
	const char *file = inv->nargs > 1 ? inv->args[1] : CONFIG_DEFAULT_FILE;

	if (strcmp(what, "on") == 0)
		return announce_on(file);
	if (strcmp(what, "off") == 0 && inv->nargs == 1)
		return announce_off();
	message_print(
		"use 'announce on', 'announce on FILE' or 'announce off'");
	return OUTCOME_USAGE;
}

const struct command cmd_announce = { .name = "announce",
	.args = "on|off",
	.help = "announce this machine, so that 'discover' finds it",
	.examples = "announce on|as root: write Avahi's service file\n"
		    "announce off|as root: remove this file\n",
	.args_min = 1,
	.args_max = 2,
	.takes = { { ARG_CHOICE, "on|off" }, { ARG_FILE, NULL } },
	.run = run };
