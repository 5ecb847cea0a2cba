/*
 * Merges the tables of many hosts into one table. The first column of the
 * merged table has the host's name. No I/O.
 */
#ifndef BRIDLE_TABLE_MERGE_H
#define BRIDLE_TABLE_MERGE_H

#include "util/table.h"

#include <stdbool.h>

/* The name of the column that has the host of each row. */
#define TABLE_MERGE_HOST "host"

/*
 * True if table_merge_add() may append the rows of the table. The columns must
 * be equal to the columns of the tables appended before. No column may be named
 * TABLE_MERGE_HOST. The table must have fewer than WIRE_COLUMNS_MAX columns.
 */
bool table_merge_fits(const struct table *merged, const struct table *);

/*
 * Append all rows of a table to a merged table. A zeroed struct is an empty
 * merged table. The table must pass table_merge_fits(). If the merged table
 * would be too large, append no row and return -1. Otherwise return 0.
 */
int table_merge_add(
	struct table *merged, const char *host, const struct table *);

#endif
