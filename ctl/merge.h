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

/* Makes the columns of a zeroed one, without rows; the answer must fit. */
int merge_head(struct reply *merged, const struct reply *);

/* The same without the column of hosts, of any answer. */
int merge_columns(struct reply *, const struct reply *);

/*
 * Appends the answer's rows to a zeroed or an earlier reply; it must fit. 0,
 * or -1 if the whole would grow too long: then none is appended.
 */
int merge_add(struct reply *merged, const char *host, const struct reply *);

#endif
