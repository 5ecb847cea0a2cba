#include "cmd/commands.h"

const struct command cmd_kill = { .name = "kill",
	.args = "NAME",
	.help = "send a signal to all processes with this exact name",
	.examples = "kill firefox|show processes, ask, send TERM\n"
		    "kill firefox -n|show what would be killed\n"
		    "kill firefox -y --wait|in a script: fail if it survives\n"
		    "kill java --wait 10 --escalate KILL|send KILL after 10 s\n"
		    "kill nginx -s HUP --user root|\n",
	.options = OPT_REMOTE | OPT_BIT(OPT_SIGNAL) | OPT_BIT(OPT_WAIT) |
		   OPT_BIT(OPT_ESCALATE) | OPT_BIT(OPT_USER) |
		   OPT_BIT(OPT_DRY_RUN) | OPT_BIT(OPT_YES) | OPT_STAGED,
	.args_min = 1,
	.args_max = 1,
	.takes = { { ARG_PROCESS, NULL } },
	.verb = VERB_KILL };
