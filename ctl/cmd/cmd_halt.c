#include "cmd/commands.h"

#define SUSPENDING \
	(OPT_REMOTE | OPT_BIT(OPT_DRY_RUN) | OPT_BIT(OPT_YES) | OPT_STAGED)
#define HALTING \
	(SUSPENDING | OPT_BIT(OPT_IN) | OPT_BIT(OPT_AT) | OPT_BIT(OPT_MESSAGE))

const struct command cmd_halt = { .name = "halt",
	.args = "",
	.help = "stop the machine without cutting its power",
	.examples = "halt|show the action, then ask\n"
		    "halt -n|only show the action\n"
		    "-H web1 halt --at 22:00|\n",
	.options = HALTING,
	.verb = VERB_HALT,
	.mode = HALT_HALT };

const struct command cmd_poweroff = { .name = "poweroff",
	.args = "",
	.help = "shut the machine down and switch its power off",
	.examples = "poweroff|show the action, then ask\n"
		    "poweroff --in 10m -m 'Back at eight'|\n"
		    "-H lab7 poweroff -y|in a script\n",
	.options = HALTING,
	.verb = VERB_HALT,
	.mode = HALT_POWEROFF };

const struct command cmd_reboot = { .name = "reboot",
	.args = "",
	.help = "restart the machine",
	.examples = "reboot|show the action, then ask\n"
		    "reboot --at 04:00 -m 'New kernel'|\n"
		    "-H web1 reboot -y --wait|wait until web1 is back\n"
		    "-H @lab reboot --batch 25% --wait|a quarter at a time\n",
	.options = HALTING | OPT_BIT(OPT_WAIT),
	.verb = VERB_HALT,
	.mode = HALT_REBOOT };

const struct command cmd_suspend = { .name = "suspend",
	.args = "",
	.help = "suspend the machine with its data in memory",
	.examples = "suspend|show the action, then ask\n"
		    "-H lab7 suspend -y|in a script\n"
		    "-H lab7 suspend -n|check if lab7 can suspend\n",
	.options = SUSPENDING,
	.verb = VERB_HALT,
	.mode = HALT_SUSPEND };

const struct command cmd_hibernate = { .name = "hibernate",
	.args = "",
	.help = "save the memory to disk, and switch the power off",
	.examples = "hibernate|show the action, then ask\n"
		    "-H lab7 hibernate -y|in a script\n",
	.options = SUSPENDING,
	.verb = VERB_HALT,
	.mode = HALT_HIBERNATE };
