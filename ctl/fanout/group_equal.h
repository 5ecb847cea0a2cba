/*
 * Divides results into groups of equal results. The comparison ignores pairs
 * such as id and uptime. No I/O.
 */
#ifndef BRIDLE_GROUP_EQUAL_H
#define BRIDLE_GROUP_EQUAL_H

#include "fanout/result.h"

#include <stddef.h>

struct equal_group {
	size_t n;
	size_t *indexes; /* indexes of the group's results, ascending */
};

struct equal_groups {
	size_t n;
	/* the groups, sorted by the first index of each group */
	struct equal_group *groups;
	size_t *order; /* the array into which all `indexes` point */
};

/*
 * Divide `n` results into groups. Results whose `host` is NULL are left out.
 * Return 0, or -1 if no memory is available. In both cases, free the groups
 * with equal_groups_free().
 */
int equal_groups_make(struct equal_groups *, const struct result *, size_t n);

void equal_groups_free(struct equal_groups *);

#endif
