#include "cmd/commands.h"
#include "config/config_apply.h"
#include "trust/admit.h"
#include "util/message.h"

#include <string.h>

static enum outcome
run(const struct invocation *inv)
{
	const char *file = inv->nargs > 1 ? inv->args[1] : CONFIG_DEFAULT_FILE;

	/*
	 * Refuse a "/", because the name becomes a part of a path and must not
	 * name a folder.
	 */
	if (strchr(inv->args[0], '/') != NULL) {
		message_print("'%s' is no name for a client", inv->args[0]);
		return OUTCOME_USAGE;
	}
	admit_ignore_signals();
	return admit_revoke(
		file, inv->args[0], invocation_has(inv, OPT_DRY_RUN));
}

const struct command cmd_revoke = { .name = "revoke",
	.args = "NAME [FILE]",
	.help = "end the access of a client that 'admit' has admitted",
	.examples = "revoke anna|also ends anna's commands\n"
		    "revoke anna -n|only show the file\n",
	.options = OPT_BIT(OPT_DRY_RUN),
	.args_min = 1,
	.args_max = 2,
	.takes = { { ARG_TEXT, NULL }, { ARG_FILE, NULL } },
	.run = run };
