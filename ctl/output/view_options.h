/*
 * Applies the options --sort, --tree and --columns to a table. No I/O.
 */
#ifndef BRIDLE_VIEW_OPTIONS_H
#define BRIDLE_VIEW_OPTIONS_H

#include "buf.h"
#include "cli/invocation.h"
#include "output/view.h"

/*
 * Make a view of the table, as the options request. If the table begins with
 * the column TABLE_MERGE_HOST, keep this column even if --columns leaves the
 * column out. Return 0, or -1 with a sentence appended to `error`. In both
 * cases, free the view with view_free().
 */
int view_options_apply(const struct invocation *, const struct table *,
	struct view *, struct buf *error);

/*
 * Check that the table has all columns that the options name. If `merged` is
 * true, the options may also name TABLE_MERGE_HOST. Return 0, or -1 with a
 * sentence appended to `error`.
 */
int view_options_check(const struct invocation *, const struct table *,
	bool merged, struct buf *error);

#endif
