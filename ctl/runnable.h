/*
 * The commands that one may run on this machine, and their arguments, for
 * completion.
 */
#ifndef BRIDLE_RUNNABLE_H
#define BRIDLE_RUNNABLE_H

#include "candidates.h"
#include "targets.h"

/* Offers the names of all of them. */
void runnable_names(struct candidates *, const struct target *);

/*
 * Offers NAME= for each argument of the command, and once that is written the
 * words that its rule allows, as far as it consists of such.
 */
void runnable_args(
	struct candidates *, const struct target *, const char *command);

#endif
