#include "command.h"

#include "request.h"
#include "text.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#define HALTING                                               \
	(OPT_REMOTE | OPT_BIT(OPT_IN) | OPT_BIT(OPT_AT) |     \
		OPT_BIT(OPT_MESSAGE) | OPT_BIT(OPT_DRY_RUN) | \
		OPT_BIT(OPT_YES) | OPT_STAGED)

/* What goes on until ^C has no time to end in. */
#define WATCHING (OPT_WHERE | OPT_TLS | OPT_BIT(OPT_CONNECT_TIMEOUT))

const struct command commands[] = {
	{ .name = "list",
		.args = "[GLOB]",
		.help = "show the processes, all or those with such a name",
		.examples = "list|every process of this machine\n"
			    "list 'ssh*' --sort -rss_kib|the largest first\n"
			    "-H web1 list --tree|another host's, as a tree\n"
			    "list --user www-data --columns pid,name,command|\n"
			    "list --watch --sort -cpu_ms|anew every 2 s\n"
			    "list --json|one object, for jq\n"
			    "list --raw|tab-separated, for awk\n",
		.options = OPT_REMOTE | OPT_BIT(OPT_USER) | OPT_BIT(OPT_SORT) |
			   OPT_BIT(OPT_TREE) | OPT_BIT(OPT_COLUMNS) |
			   OPT_BIT(OPT_WATCH),
		.args_max = 1,
		.takes = { { VALUE_PATTERN, NULL } },
		.verb = VERB_LIST,
		.run = cmd_list },
	{ .name = "kill",
		.args = "NAME",
		.help = "signal the processes of exactly this name",
		.examples = "kill firefox|show them, ask, send TERM\n"
			    "kill firefox -n|show what would be killed\n"
			    "kill firefox -y|in a script: no question\n"
			    "kill java --wait 10 --escalate KILL|KILL what is "
			    "left after 10 s\n"
			    "kill nginx -s HUP --user root|\n",
		.options = OPT_REMOTE | OPT_BIT(OPT_SIGNAL) |
			   OPT_BIT(OPT_WAIT) | OPT_BIT(OPT_ESCALATE) |
			   OPT_BIT(OPT_USER) | OPT_BIT(OPT_DRY_RUN) |
			   OPT_BIT(OPT_YES) | OPT_STAGED,
		.args_min = 1,
		.args_max = 1,
		.takes = { { VALUE_PROCESS, NULL } },
		.verb = VERB_KILL,
		.run = cmd_kill },
	{ .name = "run",
		.args = "COMMAND [ARG]...",
		.help = "run one of the commands that the host's owner lists",
		.examples = "run restart unit=nginx|an argument by its name\n"
			    "run restart nginx|or by its place\n"
			    "verbs|which there are, and their arguments\n"
			    "run restore --stdin <dump|one that reads\n"
			    "-H web1 run check_disk --exit-status=3|for "
			    "Nagios\n"
			    "-H @web run restart nginx --batch 2 -y|host by "
			    "host\n",
		.options = (OPT_REMOTE & ~OPT_BIT(OPT_RAW)) |
			   OPT_BIT(OPT_STDIN) | OPT_BIT(OPT_EXIT_STATUS) |
			   OPT_BIT(OPT_YES) | OPT_STAGED,
		.args_min = 1,
		.args_max = 1 + REQUEST_ARGS_MAX,
		.takes = { { VALUE_RUN, NULL }, { VALUE_RUN_ARG, NULL } },
		.verb = VERB_RUN,
		.run = cmd_run },
	{ .name = "halt",
		.args = "",
		.help = "stop the machine without cutting its power",
		.examples = "halt|show what it would do, ask\n"
			    "halt -n|only show it\n"
			    "-H web1 halt --at 22:00|\n",
		.options = HALTING,
		.verb = VERB_HALT,
		.mode = HALT_HALT,
		.run = cmd_halt },
	{ .name = "poweroff",
		.args = "",
		.help = "shut the machine down and switch it off",
		.examples = "poweroff|show what it would do, ask\n"
			    "poweroff --in 10m -m 'Back at eight'|\n"
			    "-H lab7 poweroff -y|in a script\n",
		.options = HALTING,
		.verb = VERB_HALT,
		.mode = HALT_POWEROFF,
		.run = cmd_halt },
	{ .name = "reboot",
		.args = "",
		.help = "restart the machine",
		.examples = "reboot|show what it would do, ask\n"
			    "reboot --at 04:00 -m 'New kernel'|\n"
			    "-H web1 reboot -y --wait|until it is back\n"
			    "-H @lab reboot --batch 25% --wait|a quarter at "
			    "a time\n",
		.options = HALTING | OPT_BIT(OPT_WAIT),
		.verb = VERB_HALT,
		.mode = HALT_REBOOT,
		.run = cmd_halt },
	{ .name = "cancel",
		.args = "",
		.help = "withdraw a halt that was set for later",
		.examples = "cancel|\n"
			    "-H web1 cancel|\n",
		.options = OPT_REMOTE,
		.verb = VERB_CANCEL,
		.run = cmd_cancel },
	{ .name = "ping",
		.args = "",
		.help = "ask whether the daemon answers, and how fast",
		.examples = "ping|\n"
			    "-H web1 --timeout 2 ping|\n",
		.options = OPT_REMOTE,
		.verb = VERB_PING,
		.run = cmd_ping },
	{ .name = "wait",
		.args = "",
		.help = "wait until hosts answer, or answer no more",
		.examples = "-H web1 wait --up|\n"
			    "-H @lab wait --down --timeout 120|\n",
		.options = OPT_REMOTE | OPT_BIT(OPT_UP) | OPT_BIT(OPT_DOWN),
		.verb = VERB_PING },
	{ .name = "status",
		.args = "",
		.help = "show the daemon's counters",
		.examples = "status|\n"
			    "-H @lab status --watch 5|\n"
			    "status --json|one object, for monitoring\n",
		.options = OPT_REMOTE | OPT_BIT(OPT_WATCH),
		.verb = VERB_STATUS,
		.run = cmd_table },
	{ .name = "who",
		.args = "",
		.help = "show who is connected, since when, from where",
		.examples = "who|\n"
			    "-H @lab who|\n",
		.options = OPT_REMOTE | OPT_BIT(OPT_WATCH),
		.verb = VERB_WHO,
		.run = cmd_table },
	{ .name = "watch",
		.args = "",
		.help = "show what happens there, as it happens",
		.examples = "watch|until ^C\n"
			    "watch --events request,halt|only these\n"
			    "watch --client teacher|only what this one does\n"
			    "-H @lab watch|many hosts in one stream\n"
			    "watch --json|an object a line, for jq\n",
		.options = WATCHING | OPT_BIT(OPT_JSON) | OPT_BIT(OPT_RAW) |
			   OPT_BIT(OPT_EVENTS) | OPT_BIT(OPT_CLIENT),
		.verb = VERB_WATCH,
		.streams = true,
		.run = cmd_watch },
	{ .name = "chat",
		.args = "",
		.help = "talk with those who watch",
		.examples = "chat|until ^D; /to NAME TEXT is to one alone\n"
			    "-H @lab chat|\n"
			    "chat < report|plain lines, from a file\n",
		.options = WATCHING,
		.verb = VERB_WATCH,
		.streams = true,
		.run = cmd_chat },
	{ .name = "say",
		.args = "TEXT...",
		.help = "tell those who watch, or one of them",
		.examples = "say I am rebooting this in five minutes|\n"
			    "say --to alice 'are you done?'|to her alone\n"
			    "-H @lab say --wall 'Save your work'|\n",
		.options = OPT_REMOTE | OPT_BIT(OPT_TO) | OPT_BIT(OPT_WALL),
		.args_min = 1,
		.args_max = INT_MAX,
		.takes = { { VALUE_TEXT, NULL } },
		.verb = VERB_SAY,
		.run = cmd_cancel },
	{ .name = "verbs",
		.args = "",
		.help = "show what you may do there",
		.examples = "verbs|\n"
			    "-H web1 verbs|\n",
		.options = OPT_REMOTE,
		.verb = VERB_VERBS,
		.run = cmd_table },
	{ .name = "explain",
		.args = "COMMAND [ARG]...",
		.help = "tell whether you may do it, and by which rule",
		.examples = "explain kill firefox -s KILL|as one would do it\n"
			    "explain poweroff --in 10m|\n"
			    "-H web1 explain list|\n",
		.options = OPT_REMOTE,
		.args_min = 1,
		.args_max = INT_MAX,
		.takes = { { VALUE_REQUEST, NULL } },
		.verb = VERB_EXPLAIN,
		.run = cmd_explain },
	{ .name = "hosts",
		.args = "[HOSTS]",
		.help = "show which hosts a list stands for",
		.examples = "hosts 'node[01-32],@web'|one a line\n"
			    "hosts 'node[01-32]' -x node07 --count|how many\n"
			    "hosts --hosts-file hosts --fold|as node[01-32]\n"
			    "hosts @lab --json|how each is reached\n"
			    "hosts --format=ansible|all that is configured\n",
		.options = OPT_WHERE | OPT_BIT(OPT_HOW_MANY) |
			   OPT_BIT(OPT_FOLD) | OPT_BIT(OPT_FORMAT) |
			   OPT_BIT(OPT_GROUPS) | OPT_BIT(OPT_JSON),
		.args_max = 1,
		.takes = { { VALUE_TARGET, NULL } },
		.run = cmd_hosts },
	{ .name = "keygen",
		.args = "[FILE]",
		.help = "make a key for TLS, and the entry for a host's "
			"clients",
		.examples = "keygen|~/.config/bridle/key, for every host\n"
			    "keygen ./backup.key|another, for -i\n"
			    "keygen --type ed25519|\n",
		.options = OPT_BIT(OPT_TYPE),
		.args_max = 1,
		.takes = { { VALUE_FILE, NULL } },
		.run = cmd_keygen },
	{ .name = "trust",
		.args = "HOST",
		.help = "remember a host's key, in place of an older one",
		.examples = "trust web1|show it, ask\n"
			    "trust web1 --fingerprint SHA256:...|in a script\n"
			    "trust web1 -y|whatever it shows\n",
		.options = OPT_BIT(OPT_FINGERPRINT) | OPT_BIT(OPT_TIMEOUT) |
			   OPT_BIT(OPT_YES),
		.args_min = 1,
		.args_max = 1,
		.takes = { { VALUE_HOST, NULL } },
		.run = cmd_trust },
	{ .name = "config",
		.args = "edit|check|show|diff [FILE]",
		.help = "change, check and show the daemon's configuration",
		.examples = "config edit|change it, check it, reload it\n"
			    "config check new.conf|before it is put in place\n"
			    "config show|every key, as it is in force now\n"
			    "config diff|was the file reloaded?\n",
		.options = OPT_BIT(OPT_FORCE),
		.args_min = 1,
		.args_max = 2,
		.takes = { { VALUE_CHOICE, "edit|check|show|diff" },
			{ VALUE_FILE, NULL } },
		.run = cmd_config },
	{ .name = "help",
		.args = "[COMMAND]",
		.help = "explain a command, as its --help does",
		.examples = "help|\n"
			    "help kill|\n",
		.args_max = 1,
		.takes = { { VALUE_COMMAND, NULL } },
		.run = cmd_help },
	{ 0 }
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]) - 1)

const struct command *
command_find(const char *name)
{
	size_t i;

	for (i = 0; i < NCOMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

const char *
command_nearest(const char *name)
{
	const char *names[NCOMMANDS + 1];
	size_t i;

	for (i = 0; i < NCOMMANDS; i++)
		names[i] = commands[i].name;
	names[i] = NULL;
	return text_nearest(name, names);
}
