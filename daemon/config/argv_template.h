/*
 * Argument vectors with {placeholders}. There is no shell and no word
 * splitting. The value of a placeholder becomes one argument, or a part of one
 * argument.
 */
#ifndef BRIDLE_ARGV_TEMPLATE_H
#define BRIDLE_ARGV_TEMPLATE_H

#include "buf.h"

struct argv_template_value {
	const char *name;  /* name of the placeholder, without its braces */
	const char *value; /* text for the placeholder, or NULL */
};

/*
 * Replace the placeholders in `argv`, which ends with NULL. The list of values
 * ends with a NULL name. If an argument is only a placeholder whose value is
 * NULL, the argument is left out. Within a longer argument, a NULL value
 * becomes "". Unknown placeholders stay as they are. Return a NULL-ended result
 * for argv_template_free(), or NULL if no memory is available.
 */
char **argv_template_expand(
	char *const *argv, const struct argv_template_value *);

/* Free a result of argv_template_expand(). `argv` may be NULL. */
void argv_template_free(char **argv);

/* Append the arguments in the shell's syntax, quoted where needed. */
void argv_template_print(char *const *argv, struct buf *);

#endif
