/*
 * One call of bridlectl: its command line, read and checked.
 */
#ifndef BRIDLE_INVOCATION_H
#define BRIDLE_INVOCATION_H

#include "buf.h"
#include "command.h"
#include "options.h"
#include "request.h"
#include "targets.h"

#include <stdbool.h>

struct invocation {
	const struct command *command; /* NULL: only --help or --version */
	struct options options;
	int nargs;
	char **args; /* what follows the command's name; NULL-ended */

	/* Where the command asks a daemon: */
	struct target target;
	unsigned timeout; /* seconds, 0: not said */
	struct request request;
	char when[24]; /* the request's may point here */
};

/*
 * 0, or -1 with a sentence appended to error, and the command set if it was
 * found. With --help or --version nothing past the command is checked. The
 * invocation points into argv and into itself: it must not be copied.
 */
int invocation_parse(
	struct invocation *, int argc, char **argv, struct buf *error);

static inline bool
invocation_has(const struct invocation *inv, enum option_number n)
{
	return options_given(&inv->options, n);
}

#endif
