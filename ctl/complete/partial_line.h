/*
 * An unfinished command line, up to the cursor. The syntax is the syntax of
 * options_parse(), but errors are ignored. No I/O.
 */
#ifndef BRIDLE_PARTIAL_LINE_H
#define BRIDLE_PARTIAL_LINE_H

#include "cli/command.h"
#include "cli/options.h"

#include <stdbool.h>

struct partial_line {
	const struct command *const *commands; /* all commands */
	const struct command *command;         /* the command; NULL: none yet */
	bool unknown;                          /* the command is unknown */
	int nargs;         /* number of arguments before the cursor */
	const char *first; /* the first argument; NULL: none yet */
	option_set given;  /* options before the cursor */
	const char *host;  /* value of -H; NULL: not given */
	int pending;       /* option whose value is the following word, or -1 */
	bool only_arguments; /* the words before the cursor contain "--" */
};

/* Read the words before the cursor. The words must outlive the struct. */
void partial_line_read(struct partial_line *,
	const struct command *const *commands, int nwords, char *const *words);

/*
 * Read the options in a word that begins with a dash. Return the option that
 * takes a value, or -1 if no option does. *value points to the value in the
 * word, or is NULL if the following word is the value.
 */
int partial_line_option(
	struct partial_line *, const char *word, const char **value);

#endif
