#include "sources.h"

#include "events.h"
#include "host_words.h"
#include "hosts.h"
#include "processes.h"
#include "runnable.h"
#include "text.h"

#include <ctype.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PASSWD "/etc/passwd"

/* Whether this is what is written, so far or wholly. */
static bool
is_typed(const struct candidates *c, const char *text)
{
	const char *typed = candidates_typed(c);

	return strncmp(typed, text, strlen(text)) == 0;
}

static void
add_choices(struct candidates *c, const char *choices)
{
	char *copy = strdup(choices), *rest = copy, *word;

	while (copy != NULL && (word = strsep(&rest, "|")) != NULL)
		candidates_add(c, CANDIDATE_WHOLE, word, NULL);
	free(copy);
}

static void
add_commands(struct candidates *c, bool of_daemons)
{
	const struct command *command;

	for (command = commands; command->name != NULL; command++)
		if (!of_daemons ||
			(command->verb != 0 && command->verb != VERB_EXPLAIN))
			candidates_add(c, CANDIDATE_WHOLE, command->name,
				command->help);
}

/* The columns of the command's table; none if it has none. */
static const char *const *
find_columns(const struct command *command)
{
	static const char *const none[] = { NULL };
	const struct verb *verb =
		command ? verb_by_number((long)command->verb) : NULL;

	return verb && verb->columns ? verb->columns : none;
}

/* Whether it is in the list that stands before the last comma. */
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

/* Names of which several may stand, with commas between. */
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

/* COLUMN, -COLUMN, and COLUMN:desc once that much is written. */
static void
add_orders(struct candidates *c, const struct command *command)
{
	const char *const *name = find_columns(command);
	bool colon = strchr(candidates_typed(c), ':') != NULL;
	struct buf text = { 0 };

	if (is_typed(c, "-"))
		candidates_keep(c, 1);
	for (; *name != NULL; name++) {
		buf_reset(&text);
		buf_addf(&text, colon ? "%s:desc" : "%s", *name);
		candidates_add(c, CANDIDATE_WHOLE, buf_str(&text), NULL);
	}
	buf_free(&text);
}

/* In the case in which one has begun to write: all of them are taken. */
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
	add_signal(c, "RTMIN", "the first of real time");
	add_signal(c, "RTMAX", "the last of real time");
	buf_free(&about);
}

/* This machine's own: name services may be slow, and a key was pressed. */
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

/* Of the daemon that is asked, if that is one of this machine. */
static void
add_processes(struct candidates *c, const struct typed *t, enum value_kind kind)
{
	unsigned without = (t->only_arguments ? 0 : PROCESSES_NO_DASH) |
			   (kind == VALUE_PATTERN ? PROCESSES_NO_GLOB : 0);
	struct hosts hosts = { 0 };

	if (host_words_only(&hosts, t->host))
		processes_add(c, &hosts.v[0].target, without);
	hosts_free(&hosts);
}

static void
add_runnable(struct candidates *c, const struct typed *t, enum value_kind kind)
{
	struct hosts hosts = { 0 };

	if (host_words_only(&hosts, t->host)) {
		if (kind == VALUE_RUN)
			runnable_names(c, &hosts.v[0].target);
		else if (t->first != NULL)
			runnable_args(c, &hosts.v[0].target, t->first);
	}
	hosts_free(&hosts);
}

void
sources_add(struct candidates *c, const struct value *v, const struct typed *t)
{
	switch (v->kind) {
	case VALUE_TEXT:
		break;
	case VALUE_CHOICE:
		add_choices(c, v->choices);
		break;
	case VALUE_FILE:
		candidates_files(c);
		break;
	case VALUE_COLUMNS:
		add_list(c, find_columns(t->command), SIZE_MAX);
		break;
	case VALUE_EVENTS:
		add_list(c, event_names, EVENT_KINDS);
		break;
	case VALUE_ORDER:
		add_orders(c, t->command);
		break;
	case VALUE_SIGNAL:
		add_signals(c);
		break;
	case VALUE_USER:
		add_users(c);
		break;
	case VALUE_TARGET:
		host_words_list(c);
		break;
	case VALUE_HOST:
		host_words_names(c);
		break;
	case VALUE_PROCESS:
	case VALUE_PATTERN:
		add_processes(c, t, v->kind);
		break;
	case VALUE_RUN:
	case VALUE_RUN_ARG:
		add_runnable(c, t, v->kind);
		break;
	case VALUE_COMMAND:
	case VALUE_REQUEST:
		add_commands(c, v->kind == VALUE_REQUEST);
		break;
	}
}
