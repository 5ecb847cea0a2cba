#include "complete/complete_values.h"

#include "complete/complete_daemon.h"
#include "complete/complete_hosts.h"
#include "events.h"
#include "text.h"

#include <ctype.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PASSWD "/etc/passwd"

static void
add_choices(struct candidates *c, const char *choices)
{
	char *copy = strdup(choices), *rest = copy, *word;

	while (copy != NULL && (word = strsep(&rest, "|")) != NULL)
		candidates_add(c, CANDIDATE_WHOLE, word, NULL);
	free(copy);
}

static void
add_commands(struct candidates *c, const struct command *const *commands,
	bool of_daemons)
{
	const struct command *command;

	for (; (command = *commands) != NULL; commands++)
		if (!of_daemons ||
			(command->verb != 0 && command->verb != VERB_EXPLAIN))
			candidates_add(c, CANDIDATE_WHOLE, command->name,
				command->help);
}

/*
 * Return the column names of the command's table. If the command has no table,
 * return an empty list.
 */
static const char *const *
find_columns(const struct command *command)
{
	static const char *const none[] = { NULL };
	const struct verb *verb =
		command ? verb_by_number((long)command->verb) : NULL;

	return verb && verb->columns ? verb->columns : none;
}

/*
 * True if the list contains the name. The list has len bytes and ends with a
 * comma.
 */
static bool
is_listed(const char *list, size_t len, const char *name)
{
	size_t n;

	for (; len > 0; list += n, len -= n) {
		n = strcspn(list, ",") + 1;
		if (n == strlen(name) + 1 && strncmp(list, name, n - 1) == 0)
			return true;
	}
	return false;
}

/*
 * Add names from the array `name`, but at most its first `most` names. Leave
 * out the names that the user has typed. Commas separate the typed names.
 */
static void
add_list(struct candidates *c, const char *const *name, size_t most)
{
	const char *list = candidates_typed(c);
	const char *comma = strrchr(list, ',');
	size_t len = comma ? (size_t)(comma - list) + 1 : 0;

	candidates_keep(c, len);
	for (; most > 0 && *name != NULL; name++, most--)
		if (!is_listed(list, len, *name))
			candidates_add(c, CANDIDATE_PART, *name, NULL);
}

static void
add_verbs(struct candidates *c)
{
	const char *names[VERB_LAST + 1];
	int i;

	for (i = 0; i < VERB_LAST; i++)
		names[i] = verb_by_number(i + 1)->name;
	names[i] = NULL;
	add_list(c, names, VERB_LAST);
}

/*
 * Add the names of the columns. The user can have typed a "-" before the name.
 * If the user has typed a colon, add COLUMN:desc.
 */
static void
add_orders(struct candidates *c, const struct command *command)
{
	const char *const *name = find_columns(command);
	bool colon = strchr(candidates_typed(c), ':') != NULL;
	struct buf text = { 0 };

	if (candidates_begin(c, "-"))
		candidates_keep(c, 1);
	for (; *name != NULL; name++) {
		buf_reset(&text);
		buf_addf(&text, colon ? "%s:desc" : "%s", *name);
		candidates_add(c, CANDIDATE_WHOLE, buf_str(&text), NULL);
	}
	buf_free(&text);
}

/*
 * Add the name of a signal. If the user has typed lower-case letters, add the
 * name in lower case. bridlectl accepts this name, too.
 */
static void
add_signal(struct candidates *c, const char *name, const char *about)
{
	const char *typed = candidates_typed(c);
	bool lower = islower((unsigned char)*typed);
	struct buf text = { 0 };
	const char *s;

	if (strncasecmp(typed, "SIG", 3) == 0)
		buf_adds(&text, lower ? "sig" : "SIG");
	for (s = name; *s != '\0'; s++)
		buf_addc(&text, lower ? (char)tolower((unsigned char)*s) : *s);
	candidates_add(c, CANDIDATE_WHOLE, buf_str(&text), about);
	buf_free(&text);
}

static void
add_signals(struct candidates *c)
{
	struct buf about = { 0 };
	const char *name;
	int i;

	for (i = 1; i < SIGRTMIN; i++) {
		if ((name = sigabbrev_np(i)) == NULL)
			continue;
		buf_reset(&about);
		buf_addf(&about, "%d, %s", i, sigdescr_np(i));
		add_signal(c, name, buf_str(&about));
	}
	add_signal(c, "RTMIN", "the first real-time signal");
	add_signal(c, "RTMAX", "the last real-time signal");
	buf_free(&about);
}

/*
 * Add the users of /etc/passwd. Other users are not added, because a name
 * service may be too slow.
 */
static void
add_users(struct candidates *c)
{
	const struct passwd *pw;
	FILE *file = fopen(PASSWD, "re");

	while (file != NULL && (pw = fgetpwent(file)) != NULL)
		candidates_add(c, CANDIDATE_WHOLE, pw->pw_name, NULL);
	if (file != NULL)
		fclose(file);
}

void
complete_values_add(struct candidates *c, const struct arg_spec *v,
	const struct partial_line *t)
{
	switch (v->kind) {
	case ARG_TEXT:
		break;
	case ARG_CHOICE:
		add_choices(c, v->choices);
		break;
	case ARG_FILE:
		candidates_files(c);
		break;
	case ARG_COLUMNS:
		add_list(c, find_columns(t->command), SIZE_MAX);
		break;
	case ARG_VERBS:
		add_verbs(c);
		break;
	case ARG_EVENTS:
		add_list(c, event_names, EVENT_KINDS);
		break;
	case ARG_ORDER:
		add_orders(c, t->command);
		break;
	case ARG_SIGNAL:
		add_signals(c);
		break;
	case ARG_USER:
		add_users(c);
		break;
	case ARG_TARGET:
		complete_hosts_list(c);
		break;
	case ARG_GROUP:
		complete_hosts_groups(c);
		break;
	case ARG_HOST:
		complete_hosts_names(c);
		break;
	case ARG_PROCESS:
	case ARG_PATTERN:
	case ARG_RUN:
	case ARG_RUN_ARG:
		complete_daemon_add(c, t, v->kind);
		break;
	case ARG_COMMAND:
	case ARG_REQUEST:
		add_commands(c, t->commands, v->kind == ARG_REQUEST);
		break;
	}
}
