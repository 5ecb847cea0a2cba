/*
 * Functions for the configured commands. They find the command that a `run`
 * request names, and check the arguments against the command's rules. The
 * functions do no I/O.
 */
#ifndef BRIDLE_COMMAND_ARGS_H
#define BRIDLE_COMMAND_ARGS_H

#include "buf.h"
#include "config/argv_template.h"
#include "config/settings.h"
#include "request.h"

/* A command with a value for each of its arguments. */
struct command_call {
	/* command that the `run` request names; NULL if unknown */
	const struct settings_command *command;
	/*
	 * The values for the placeholders in argv. They point into the request.
	 */
	struct argv_template_value values[REQUEST_ARGS_MAX + 1];
	/* argument that is missing or refused, or NULL */
	const struct settings_arg *wrong;
	unsigned steps; /* number of pattern steps left for this request */
	/* true if no steps were left, so that the client gets a penalty */
	bool undecided;
};

/*
 * Find the command of a `run` request, and fill in the call. Return CODE_OK,
 * CODE_NO_MATCH if the command does not exist, or CODE_MALFORMED if an argument
 * is wrong. On failure, append the reason to `reason`.
 */
int command_args_bind(const struct settings *, const struct request *,
	struct command_call *, struct buf *reason);

/*
 * Append the names and rules of a command's arguments, such as "unit=nginx|php
 * lines=1..100".
 */
void command_args_print(const struct settings_command *, struct buf *);

#endif
