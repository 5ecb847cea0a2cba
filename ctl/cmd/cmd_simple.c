#include "cmd/commands.h"

#include <limits.h>

const struct command cmd_cancel = { .name = "cancel",
	.args = "",
	.help = "withdraw a scheduled halt, poweroff or reboot",
	.examples = "cancel|\n"
		    "-H web1 cancel|\n",
	.options = OPT_REMOTE,
	.verb = VERB_CANCEL };

const struct command cmd_ping = { .name = "ping",
	.args = "",
	.help = "check that the daemon replies, and measure the time",
	.examples = "ping|\n"
		    "-H web1 --timeout 2 ping|\n",
	.options = OPT_REMOTE,
	.verb = VERB_PING };

const struct command cmd_wait = { .name = "wait",
	.args = "--up|--down",
	.help = "wait until hosts reply, or no longer reply",
	.examples = "-H web1 wait --up|until web1 replies\n"
		    "-H @lab wait --down --timeout 120|for at most 2 minutes\n",
	.options = OPT_REMOTE | OPT_BIT(OPT_UP) | OPT_BIT(OPT_DOWN),
	.verb = VERB_PING };

const struct command cmd_status = { .name = "status",
	.args = "",
	.help = "show the daemon's counters",
	.examples = "status|\n"
		    "-H @lab status --watch 5|\n"
		    "status --json|one object, for monitoring\n",
	.options = OPT_REMOTE | OPT_BIT(OPT_WATCH),
	.verb = VERB_STATUS };

const struct command cmd_who = { .name = "who",
	.args = "",
	.help = "list the connected clients, with source and time",
	.examples = "who|\n"
		    "-H @lab who|\n",
	.options = OPT_REMOTE | OPT_BIT(OPT_WATCH),
	.verb = VERB_WHO };

const struct command cmd_say = { .name = "say",
	.args = "TEXT...",
	.help = "send a message to all subscribers, or to one",
	.examples = "say I am rebooting this in five minutes|\n"
		    "say --to alice 'are you done?'|only to alice\n"
		    "-H @lab say --wall 'Save your work'|\n",
	.options = OPT_REMOTE | OPT_BIT(OPT_TO) | OPT_BIT(OPT_WALL),
	.args_min = 1,
	.args_max = INT_MAX,
	.takes = { { ARG_TEXT, NULL } },
	.verb = VERB_SAY };

const struct command cmd_verbs = { .name = "verbs",
	.args = "",
	.help = "show what you may do on the host",
	.examples = "verbs|\n"
		    "-H web1 verbs|\n",
	.options = OPT_REMOTE,
	.verb = VERB_VERBS };

const struct command cmd_explain = { .name = "explain",
	.args = "COMMAND [ARG]...",
	.help = "show if a request is allowed, and by which rule",
	.examples = "explain kill firefox -s KILL|with the arguments of kill\n"
		    "explain poweroff --in 10m|\n"
		    "-H web1 explain list|\n",
	.options = OPT_REMOTE,
	.args_min = 1,
	.args_max = INT_MAX,
	.takes = { { ARG_REQUEST, NULL } },
	.verb = VERB_EXPLAIN };
