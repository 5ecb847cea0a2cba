/*
 * Answers that are equal but for what is a host's own. No I/O.
 */
#ifndef BRIDLE_GATHER_H
#define BRIDLE_GATHER_H

#include "answer.h"

#include <stddef.h>

struct gathered {
	size_t n;
	size_t *indexes; /* of the answers, ascending */
};

struct gather {
	size_t n;
	struct gathered *groups; /* in the order of their first */
	size_t *order;           /* what all of `indexes` point into */
};

/*
 * Sorts the n answers into groups; those without a host are left out. 0, or
 * -1 with errno.
 */
int gather_make(struct gather *, const struct answer *, size_t n);

void gather_free(struct gather *);

/* The hosts of the group, folded; to be freed. NULL with errno. */
char *gather_label(const struct gathered *, const struct answer *);

#endif
