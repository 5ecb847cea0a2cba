#include "verbs.h"

#include "text.h"

#include <stddef.h>

const char *const verb_list_columns[] = { "pid", "ppid", "user", "state",
	"rss_kib", "cpu_ms", "started", "name", "command", NULL };
const char *const verb_kill_columns[] = { "pid", "started", "user", "name",
	"outcome", "token", NULL };
const char *const verb_status_columns[] = { "counter", "value", NULL };
const char *const verb_who_columns[] = { "name", "source", "transport", "since",
	"idle", "requests", "watching", NULL };
const char *const verb_watch_columns[] = { "number", "time", "event", "name",
	"source", "transport", "request", "arguments", "verdict", "code",
	"text", "id", "to", NULL };
const char *const verb_verbs_columns[] = { "verb", "name", "limits", "command",
	"help", NULL };
const char *const verb_explain_columns[] = { "verdict", "code", "client",
	"rule", "reason", NULL };

const char *const verb_wake_columns[] = { "interface", "mac", "addresses",
	NULL };

static const struct verb verbs[] = {
	{ VERB_HALT, "halt", 0,
		OPTION_MODE | OPTION_WHEN | OPTION_MESSAGE | OPTION_DRY_RUN,
		true, NULL },
	{ VERB_LIST, "list", 0, OPTION_NAME | OPTION_USER, false,
		verb_list_columns },
	{ VERB_KILL, "kill", 1,
		OPTION_SIGNAL | OPTION_WAIT | OPTION_ESCALATE | OPTION_USER |
			OPTION_ONLY | OPTION_DRY_RUN,
		true, verb_kill_columns },
	{ VERB_PING, "ping", 0, 0, false, NULL },
	{ VERB_RUN, "run", 1, 0, true, NULL },
	{ VERB_CANCEL, "cancel", 0, 0, true, NULL },
	{ VERB_STATUS, "status", 0, 0, false, verb_status_columns },
	{ VERB_WHO, "who", 0, 0, false, verb_who_columns },
	{ VERB_WATCH, "watch", 0, OPTION_EVENTS | OPTION_NAME | OPTION_SINCE,
		false, verb_watch_columns },
	{ VERB_SAY, "say", 1, OPTION_TO | OPTION_WALL, true, NULL },
	{ VERB_VERBS, "verbs", 0, 0, false, verb_verbs_columns },
	{ VERB_EXPLAIN, "explain", 1, 0, false, verb_explain_columns },
	{ VERB_WAKE, "wake", 1, OPTION_DRY_RUN, true, NULL }
};

const char *const halt_mode_names[HALT_MODES + 1] = { "halt", "poweroff",
	"reboot", "suspend", "hibernate", NULL };

const struct verb *
verb_by_number(long number)
{
	if (number < 1 || number > VERB_LAST)
		return NULL;
	return &verbs[number - 1];
}

bool
verb_column_is_number(const char *name)
{
	static const char *const numbers[] = { "pid", "ppid", "rss_kib",
		"cpu_ms", "started", "verb", "code", "uptime", "since", "idle",
		"requests", "number", "time", "reached", "exit", "truncated",
		NULL };

	return text_index(numbers, name) >= 0;
}
