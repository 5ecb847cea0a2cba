/*
 * Merges the tables of many results, and shows one table in the format of the
 * options.
 */
#ifndef BRIDLE_MERGE_RESULTS_H
#define BRIDLE_MERGE_RESULTS_H

#include "cli/invocation.h"
#include "fanout/result.h"

#include <stdbool.h>
#include <stddef.h>

/* The place to which tables are written. */
struct table_output {
	const struct invocation *inv;
	int fd;
	/* buffer that receives the text; NULL: write the text to `fd` */
	struct buf *screen;
};

/*
 * Show one table in the format that the options request. Return 0, or -1 after
 * printing a message.
 */
int table_output_show(const struct table_output *, const struct table *);

/*
 * Show the rows of `n` results as one table. If the columns differ between
 * hosts, show several tables. Results whose `host` is NULL are not shown. If
 * one table cannot hold all rows, print a message and show several tables. On a
 * screen, leave the further rows out. Return 0, or -1 after printing a message.
 */
int merge_results_show(
	const struct table_output *, const struct result *, size_t n);

/*
 * The number of tables that have all columns which the options name, and the
 * number of other tables.
 */
struct column_check {
	size_t good;
	size_t bad;
};

/*
 * Check that the table of a result has all columns that the options name. A
 * result without a table is accepted. If `merged` is true, the options may also
 * name the column of the merged table that holds the host. If a column is
 * missing, turn the result into a failure, and return false.
 */
bool column_check_add(struct column_check *, const struct invocation *,
	bool merged, struct result *);

/*
 * True if tables were checked, but no table has all columns that the options
 * name. The user has probably mistyped the name of a column.
 */
static inline bool
column_check_all_bad(const struct column_check *c)
{
	return c->bad > 0 && c->good == 0;
}

#endif
