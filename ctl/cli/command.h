/*
 * The commands of bridlectl. Each command has one description. --help and
 * completion use the descriptions. Tests compare the descriptions with the
 * manual.
 */
#ifndef BRIDLE_COMMAND_H
#define BRIDLE_COMMAND_H

#include "cli/exit_status.h"
#include "cli/options.h"
#include "verbs.h"

#define COMMAND_TAKES_MAX 2

struct invocation;

struct command {
	const char *name;
	const char *args;     /* synopsis of the arguments */
	const char *help;     /* one-line description */
	const char *examples; /* lines "ARGUMENTS|explanation" */
	option_set options;   /* allowed options, besides OPT_ALWAYS */
	int args_min, args_max;
	struct arg_spec takes[COMMAND_TAKES_MAX]; /* kinds of arguments */
	/* verb of the request; 0: the command sends no request */
	enum verb_number verb;
	enum halt_mode mode;
	/*
	 * Runs the command. If `run` is NULL, run_on_hosts() sends the
	 * command's request to each host.
	 */
	enum outcome (*run)(const struct invocation *);
};

/*
 * Return the command with this name in a NULL-ended array, or NULL if there is
 * none.
 */
const struct command *command_find(
	const struct command *const *commands, const char *name);

/*
 * Like command_find(), but append a sentence to error if there is no command
 * with this name. The sentence suggests the command with the most similar name.
 */
const struct command *command_require(const struct command *const *commands,
	const char *name, struct buf *error);

#endif
