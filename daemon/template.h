/*
 * Argument vectors with {placeholders}. No shell, no word splitting: what a
 * placeholder stands for is one argument, or a part of one.
 */
#ifndef BRIDLE_TEMPLATE_H
#define BRIDLE_TEMPLATE_H

#include "buf.h"

struct template_value {
	const char *name;  /* without its braces */
	const char *value; /* NULL stands for "" */
};

/*
 * Fills in a NULL-ended template from values that end with a NULL name. An
 * argument that is only a placeholder whose value is NULL is left out. A brace
 * that no value belongs to stays as it is. The result is NULL-ended; free it
 * with template_free(). NULL when out of memory.
 */
char **template_expand(char *const *argv, const struct template_value *);

/* NULL is allowed. */
void template_free(char **argv);

/* Appends the arguments for a person to read, quoted where they need it. */
void template_print(char *const *argv, struct buf *);

#endif
