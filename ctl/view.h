/*
 * What of an answer is shown, and in what order. No I/O.
 */
#ifndef BRIDLE_VIEW_H
#define BRIDLE_VIEW_H

#include "buf.h"
#include "reply.h"

#include <stdbool.h>
#include <stddef.h>

#define VIEW_ROOT ((size_t)-1)
#define VIEW_DEPTH_MAX 256 /* a tree deeper than that is cut */

struct view {
	size_t ncolumns;
	size_t columns[WIRE_COLUMNS_MAX]; /* indexes into the reply's */
	size_t nrows;
	size_t *rows;    /* likewise */
	size_t *parents; /* of view row i: a view row, or VIEW_ROOT; or NULL */
};

/* All columns and rows as they came. 0, or -1 with errno. */
int view_all(struct view *, const struct reply *);

/*
 * Keeps only the columns of a comma-separated list, in its order. 0, or -1
 * with a sentence appended to error.
 */
int view_select(struct view *, const struct reply *, const char *list,
	struct buf *error);

/* Leaves one column out, if there is such a one. */
void view_hide(struct view *, const struct reply *, const char *name);

/*
 * Sorts by "COLUMN", "COLUMN:desc" or "-COLUMN": numbers by value, all else
 * by its bytes, equals as they came. 0, or -1 with a sentence.
 */
int view_sort(
	struct view *, const struct reply *, const char *by, struct buf *error);

/*
 * Makes each row a child of the one whose pid is its ppid, where there is
 * one, the chain has no loop, and is not too deep. 0, or -1 with a sentence.
 */
int view_tree(struct view *, const struct reply *, struct buf *error);

void view_free(struct view *);

#endif
