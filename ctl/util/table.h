/*
 * A table of cells in the encoding of the protocol. No I/O.
 *
 * The cells may come from a hostile host. Therefore the table accepts only
 * cells that wire_decode() can decode. Each row must have one cell for each
 * column.
 */
#ifndef BRIDLE_TABLE_H
#define BRIDLE_TABLE_H

#include "buf.h"
#include "util/budget.h"
#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_SIZE_MAX (256u * 1024 * 1024) /* default of max_size */
#define TABLE_NAME_MAX 64 /* maximum length of a column's name */

struct table_cell {
	uint32_t start; /* offset of the cell's text in `text` of the table */
	uint32_t len;   /* length of the cell's text in bytes */
};

/* A zeroed struct is a table without columns and rows. */
struct table {
	/* limit of memory in bytes; 0: the limit is TABLE_SIZE_MAX */
	size_t max_size;
	struct budget_share *share; /* share of the memory budget, or NULL */
	size_t ncolumns;
	char *columns[WIRE_COLUMNS_MAX];
	size_t nrows;
	size_t max_rows;          /* number of rows that fit into `cells` */
	struct table_cell *cells; /* nrows * ncolumns cells, row by row */
	struct buf text;          /* encoded text of all cells */
};

/*
 * Append a column to a table without rows. Return NULL, or a constant text that
 * says why the column is refused.
 */
const char *table_add_column(struct table *, const char *name, size_t len);

/*
 * Append a row of n encoded cells. Return NULL on success. If the row is
 * refused, leave the table unchanged and return a constant text. The text is
 * the reason.
 */
const char *table_add_row(
	struct table *, const struct wire_field *cells, size_t n);

/*
 * Allocate memory for nrows more rows, whose cells have `bytes` bytes in total.
 * Return false if the table would exceed its limit, or if memory cannot be
 * allocated.
 */
bool table_reserve(struct table *, size_t nrows, size_t bytes);

/*
 * Return the index of the column with this name, or -1 if the table has no such
 * column.
 */
int table_column(const struct table *, const char *name);

/*
 * Return the encoded text of a cell, and set *len to the length of the text. No
 * NUL follows the text.
 */
const char *table_cell(
	const struct table *, size_t row, size_t column, size_t *len);

/*
 * Replace the content of the buffer by the decoded text of a cell. Return the
 * buffer's string, which is "" if memory cannot be allocated.
 */
const char *table_text(
	const struct table *, size_t row, size_t column, struct buf *);

/*
 * Like table_text(), but find the column by its name. Return "" if the table
 * has no column with this name.
 */
const char *table_named_text(
	const struct table *, size_t row, const char *column, struct buf *);

/* Remove all rows, but keep the columns. */
void table_clear(struct table *);

void table_free(struct table *);

#endif
