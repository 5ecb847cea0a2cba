/*
 * A command line that is still being written: what stands before the cursor.
 * It is read as options_parse() would, but nothing in it is a mistake yet.
 * No I/O.
 */
#ifndef BRIDLE_TYPED_H
#define BRIDLE_TYPED_H

#include "command.h"
#include "options.h"

#include <stdbool.h>

struct typed {
	const struct command *command; /* NULL: none yet */
	bool lost;                     /* there is no such command */
	int nargs;                     /* of the command, so far */
	const char *first;             /* of them; NULL: none yet */
	option_set given;              /* OPT_BIT(…), or-ed */
	const char *host;              /* of -H; NULL if not given */
	int pending;         /* the option whose value comes next, or -1 */
	bool only_arguments; /* after "--" */
};

/* Points into the words. */
void typed_read(struct typed *, int nwords, char *const *words);

/*
 * Adds the options of a word that begins with a dash. Returns the one that
 * takes a value, or -1; *value is where that begins in the word, NULL if it
 * is the next word.
 */
int typed_option(struct typed *, const char *word, const char **value);

#endif
