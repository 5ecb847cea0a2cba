/*
 * A view, which selects rows and columns of a table and orders the rows and
 * columns. No I/O.
 */
#ifndef BRIDLE_VIEW_H
#define BRIDLE_VIEW_H

#include "buf.h"
#include "util/table.h"

#include <stddef.h>

#define VIEW_ROOT ((size_t)-1)
/* Maximum number of levels in a tree. A deeper row becomes a root. */
#define VIEW_DEPTH_MAX 256

struct view {
	const struct table *table; /* the table, which must outlive the view */
	size_t ncolumns;
	size_t columns[WIRE_COLUMNS_MAX]; /* indexes of columns in the table */
	size_t nrows;
	size_t *rows;    /* indexes of rows in the table */
	size_t *parents; /* the parent of each row of the view, as an index into
			    `rows`, or VIEW_ROOT; NULL: no tree */
};

/*
 * Select all columns and rows in the table's order. Return 0, or -1 with errno.
 * In both cases, free the view with view_free().
 */
int view_all(struct view *, const struct table *);

/* Return the name of the i-th column of the view. */
static inline const char *
view_column(const struct view *v, size_t i)
{
	return v->table->columns[v->columns[i]];
}

/*
 * Keep only the columns of a comma-separated list, in the order of the list.
 * Return 0, or -1 with a sentence appended to `error`.
 */
int view_select(struct view *, const char *list, struct buf *error);

/*
 * Remove the column with this name from the view, if the view has such a
 * column.
 */
void view_hide(struct view *, const char *name);

/*
 * Sort the rows. `by` is "COLUMN", "COLUMN:asc", "COLUMN:desc" or "-COLUMN".
 * Numbers are sorted by value, and texts by bytes. Rows with equal values keep
 * their order. Return 0, or -1 with a sentence appended to `error`.
 */
int view_sort(struct view *, const char *by, struct buf *error);

/*
 * Arrange the rows as trees. Each row is below the row of its parent process. A
 * row becomes a root if its parent is missing, or if its parent would close a
 * loop. A row deeper than VIEW_DEPTH_MAX becomes a root too. Return 0, or -1
 * with a sentence appended to `error`.
 */
int view_tree(struct view *, struct buf *error);

void view_free(struct view *);

#endif
