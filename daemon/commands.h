/*
 * The owner's commands: which one a request of run means, and whether its
 * arguments are what the command allows. Pure.
 */
#ifndef BRIDLE_COMMANDS_H
#define BRIDLE_COMMANDS_H

#include "buf.h"
#include "request.h"
#include "settings.h"
#include "template.h"

/* A command with a value for each of its arguments. */
struct command_call {
	const struct settings_command *command; /* NULL: there is no such one */
	/* Of the template; they point into the request, and end with NULL. */
	struct template_value values[REQUEST_ARGS_MAX + 1];
	const struct settings_arg
		*wrong; /* the argument that is, if it is one */
};

/* NULL if none has that name. */
const struct settings_command *command_find(
	const struct settings *, const char *name);

/*
 * Fills in the call that a request asks for. CODE_OK, CODE_NO_MATCH if there
 * is no such command, or CODE_MALFORMED: then why is appended to `reason`.
 */
int command_bind(const struct settings *, const struct request *,
	struct command_call *, struct buf *reason);

/* Appends its arguments and their rules: "unit=nginx|php lines=1..100". */
void command_print_args(const struct settings_command *, struct buf *);

#endif
