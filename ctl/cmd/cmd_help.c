#include "cli/help.h"
#include "cmd/commands.h"
#include "util/message.h"

static enum outcome
run(const struct invocation *inv)
{
	const struct command *command = NULL;
	struct buf error = { 0 };

	if (inv->nargs > 0 && (command = command_require(inv->commands,
				       inv->args[0], &error)) == NULL) {
		message_print("%s", buf_str(&error));
		buf_free(&error);
		return OUTCOME_USAGE;
	}
	help_print(inv->commands, command);
	return OUTCOME_DONE;
}

const struct command cmd_help = { .name = "help",
	.args = "[COMMAND]",
	.help = "explain a command, as its --help does",
	.examples = "help|\n"
		    "help kill|\n",
	.args_max = 1,
	.takes = { { ARG_COMMAND, NULL } },
	.run = run };
