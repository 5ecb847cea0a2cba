/*
 * The tables of many hosts as one, with a column of hosts before the others.
 * No I/O.
 */
#ifndef BRIDLE_MERGE_H
#define BRIDLE_MERGE_H

#include "reply.h"

#include <stdbool.h>

/*
 * Whether the answer's table can follow the rows that are there: it has the
 * same columns, or is the first, and none that would pose as the hosts'.
 */
bool merge_fits(const struct reply *merged, const struct reply *);

/*
 * Appends the answer's rows to a zeroed or an earlier reply; it must fit. 0,
 * or -1 if the whole grows too long, with some of them appended.
 */
int merge_add(struct reply *merged, const char *host, const struct reply *);

#endif
