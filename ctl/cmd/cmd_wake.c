#include "cmd/commands.h"

const struct command cmd_wake = { .name = "wake",
	.args = "[HOSTS]",
	.help = "switch hosts on with Wake-on-LAN, and wait for them",
	.examples = "wake pc07|wait until pc07 replies\n"
		    "wake @lab --wait 300 --batch 10|ten at a time\n"
		    "wake @lab --wait 0|only send the packets\n"
		    "wake pc07 --interface eth1 -n|only show what is sent\n"
		    "wake pc07 --via relay|send from the machine relay\n"
		    "wake @lab --learn|store the MAC addresses\n",
	.options = OPT_REMOTE | OPT_BIT(OPT_WAIT) | OPT_BIT(OPT_INTERFACE) |
		   OPT_BIT(OPT_LEARN) | OPT_BIT(OPT_DRY_RUN) |
		   OPT_BIT(OPT_VIA) | OPT_STAGED,
	.args_max = 1,
	.takes = { { ARG_TARGET, NULL } },
	.verb = VERB_WAKE };
