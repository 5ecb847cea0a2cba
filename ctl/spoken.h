/*
 * The requests of say and watch, as their command lines put them.
 */
#ifndef BRIDLE_SPOKEN_H
#define BRIDLE_SPOKEN_H

#include "invocation.h"

/*
 * Fills in what is theirs alone: the words of say are one text, kept by the
 * invocation. 0, or -1 with a sentence appended to error.
 */
int spoken_fill(struct invocation *, struct request *, char *const *words,
	struct buf *error);

#endif
