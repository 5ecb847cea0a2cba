#include "sources.h"

#include "home.h"
#include "hosts_file.h"
#include "processes.h"
#include "text.h"
#include "wire.h"

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

static void
add_columns(struct candidates *c, const struct command *command)
{
	const char *const *name = find_columns(command);
	const char *list = candidates_typed(c);
	const char *comma = strrchr(list, ',');
	size_t len = comma ? (size_t)(comma - list) + 1 : 0;

	candidates_keep(c, len);
	for (; *name != NULL; name++)
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

/* "NAME:PORT", without the port where it is the default, or is not wanted. */
static void
add_host(struct candidates *c, char *host, bool with_port)
{
	char *colon = strrchr(host, ':');
	const char *typed = candidates_typed(c);
	size_t name = colon ? (size_t)(colon - host) : 0;

	if (colon == NULL)
		return;
	/* One who has written the colon wants the port, too. */
	if (!with_port || (strcmp(colon + 1, WIRE_PORT_TLS) == 0 &&
				  strlen(typed) <= name))
		*colon = '\0';
	candidates_add(c, CANDIDATE_WHOLE, host, NULL);
}

static void
add_hosts(struct candidates *c, bool with_port)
{
	struct buf path = { 0 }, names = { 0 }, problem = { 0 };
	char *copy = NULL, *rest, *line;

	if (home_file("known_hosts", &path, &problem) == 0 &&
		hosts_file_list(buf_str(&path), &names, &problem) == 0)
		copy = strdup(buf_str(&names));
	for (rest = copy; rest != NULL && (line = strsep(&rest, "\n")) != NULL;)
		add_host(c, line, with_port);
	free(copy);
	buf_free(&path);
	buf_free(&names);
	buf_free(&problem);
}

static void
add_targets(struct candidates *c)
{
	if (is_typed(c, "unix:")) {
		candidates_keep(c, strlen("unix:"));
		candidates_files(c);
	} else if (is_typed(c, "plain:")) {
		candidates_keep(c, strlen("plain:"));
		add_hosts(c, false);
	} else {
		add_hosts(c, true);
		candidates_add(
			c, CANDIDATE_PART, "unix:", "a socket of this machine");
		candidates_add(
			c, CANDIDATE_PART, "plain:", "TCP without encryption");
	}
}

/* Of the daemon that is asked, if that is one of this machine. */
static void
add_processes(struct candidates *c, const struct typed *t, enum value_kind kind)
{
	unsigned without = (t->only_arguments ? 0 : PROCESSES_NO_DASH) |
			   (kind == VALUE_PATTERN ? PROCESSES_NO_GLOB : 0);
	struct buf problem = { 0 };
	struct target target;

	if (targets_parse(
		    t->host ? t->host : TARGET_DEFAULT, &target, &problem) == 0)
		processes_add(c, &target, without);
	buf_free(&problem);
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
		add_columns(c, t->command);
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
		add_targets(c);
		break;
	case VALUE_HOST:
		add_hosts(c, true);
		break;
	case VALUE_PROCESS:
	case VALUE_PATTERN:
		add_processes(c, t, v->kind);
		break;
	case VALUE_COMMAND:
	case VALUE_REQUEST:
		add_commands(c, v->kind == VALUE_REQUEST);
		break;
	}
}
