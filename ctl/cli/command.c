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
	if ((nearest = text_nearest(name, names)) != NULL)
		buf_addf(error, "; did you mean '%s'?", nearest);
	return NULL;
}
