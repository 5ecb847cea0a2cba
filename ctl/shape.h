/*
 * A table in the shape that --sort, --tree and --columns ask for. No I/O.
 */
#ifndef BRIDLE_SHAPE_H
#define BRIDLE_SHAPE_H

#include "buf.h"
#include "invocation.h"
#include "reply.h"
#include "view.h"

#define SHAPE_HOST "host" /* the column that tells many hosts' rows apart */

/*
 * Of the whole table. That of many hosts keeps its first column, whatever
 * --columns says. 0, or -1 with a sentence appended to error. The view must
 * be given to view_free() in either case.
 */
int shape(const struct invocation *, const struct reply *, struct view *,
	struct buf *error);

/*
 * Whether a table with such columns can be brought into that shape; with
 * `merged` after a column of hosts was put before it. 0, or -1 with a
 * sentence.
 */
int shape_check(const struct invocation *, const struct reply *, bool merged,
	struct buf *error);

#endif
