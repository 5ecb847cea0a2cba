#include "cli/command.h"

#include "text.h"

#include <string.h>

#define NAMES_MAX 64

const struct command *
command_find(const struct command *const *commands, const char *name)
{
	for (; *commands != NULL; commands++)
		if (strcmp((*commands)->name, name) == 0)
			return *commands;
	return NULL;
}

/*
 * Return the command for the name of a program with the same task, or NULL.
 */
static const char *
find_synonym(const char *name)
{
	static const char *const synonyms[][2] = { { "shutdown", "poweroff" },
		{ "restart", "reboot" }, { "ps", "list" }, { "pkill", "kill" },
		{ "killall", "kill" } };
	size_t i;

	for (i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++)
		if (strcmp(name, synonyms[i][0]) == 0)
			return synonyms[i][1];
	return NULL;
}

const struct command *
command_require(const struct command *const *commands, const char *name,
	struct buf *error)
{
	const struct command *command = command_find(commands, name);
	const char *names[NAMES_MAX + 1] = { NULL }, *nearest;
	size_t i;

	if (command != NULL)
		return command;
	for (i = 0; i < NAMES_MAX && commands[i] != NULL; i++)
		names[i] = commands[i]->name;
	buf_addf(error, "unknown command '%s'", name);
	nearest = find_synonym(name);
	if (nearest == NULL)
		nearest = text_nearest(name, names);
	if (nearest != NULL)
		buf_addf(error, "; did you mean '%s'?", nearest);
	return NULL;
}
