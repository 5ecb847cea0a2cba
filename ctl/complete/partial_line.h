/*
 * An unfinished command line, up to the cursor. The words have the syntax of
 * options_parse(), but errors are ignored. No I/O.
 */
#ifndef BRIDLE_PARTIAL_LINE_H
#define BRIDLE_PARTIAL_LINE_H

#include "cli/command.h"
#include "cli/options.h"

#include <stdbool.h>

struct partial_line {
	const struct command *const *commands; /* all commands */
	/* the command; NULL: no word is a command yet */
	const struct command *command;
	bool unknown;      /* the command is unknown */
	int nargs;         /* number of arguments before the cursor */
	const char *first; /* the first argument; NULL: no argument yet */
	option_set given;  /* options before the cursor */
	const char *host;  /* value of -H; NULL: not given */
	int pending;       /* option whose value is the following word, or -1 */
	/* true if the words before the cursor contain "--" */
	bool only_arguments;
};

/* Read the words before the cursor. The words must outlive the struct. */
void partial_line_read(struct partial_line *,
	const struct command *const *commands, int nwords, char *const *words);

/*
 * Read the options in a word that begins with a dash. Return the option that
 * takes a value, or -1 if no option in the word takes a value. *value points to
 * the value in the word. If the following word is the value, *value is NULL.
 */
int partial_line_option(
	struct partial_line *, const char *word, const char **value);

#endif
