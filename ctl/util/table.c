#include "util/table.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_START 64
#define NAME_BYTES "abcdefghijklmnopqrstuvwxyz0123456789_-"

/*
 * Number of bytes that libsmartcols needs for a row and for a cell, in addition
 * to the text.
 */
#define PRINTED_ROW 160
#define PRINTED_CELL 88

/* True if wire_decode() can decode the cell. Leave the cell unchanged. */
static bool
decodes(const struct wire_field *cell)
{
	char triple[4];
	size_t i;

	for (i = 0; i < cell->len; i++) {
		if ((unsigned char)cell->s[i] >= 0x20 && cell->s[i] != '%')
			continue;
		if (cell->s[i] != '%' || cell->len - i < 3)
			return false;
		memcpy(triple, cell->s + i, 3);
		if (wire_decode(triple, 3) != 1)
			return false;
		i += 2;
	}
	return true;
}

const char *
table_add_column(struct table *t, const char *name, size_t len)
{
	char *copy;

	if (t->ncolumns == WIRE_COLUMNS_MAX || len == 0 ||
		len > TABLE_NAME_MAX ||
		!text_consists_of(name, len, NAME_BYTES))
		return "a column has an invalid name";
	if ((copy = calloc(1, len + 1)) == NULL)
		return "out of memory";
	memcpy(copy, name, len);
	if (table_column(t, copy) >= 0) {
		free(copy);
		return "two columns have the same name";
	}
	t->columns[t->ncolumns++] = copy;
	return NULL;
}

bool
table_reserve(struct table *t, size_t nrows, size_t bytes)
{
	size_t row = t->ncolumns * sizeof(t->cells[0]), max = t->max_rows;
	size_t printed = PRINTED_ROW + t->ncolumns * PRINTED_CELL;
	size_t limit = t->max_size ? t->max_size : TABLE_SIZE_MAX;
	struct table_cell *cells;

	nrows += t->nrows;
	if (t->text.len + bytes + nrows * (row + printed) > limit ||
		(t->share != NULL &&
			!budget_share_reach(
				t->share, t->text.len + bytes + nrows * row)) ||
		buf_room(&t->text, bytes) == NULL)
		return false;
	if (nrows <= max)
		return true;
	for (max = max ? max : ROWS_START; max < nrows; max *= 2)
		;
	if ((cells = realloc(t->cells, max * row)) == NULL)
		return false;
	t->cells = cells;
	t->max_rows = max;
	return true;
}

const char *
table_add_row(struct table *t, const struct wire_field *cells, size_t n)
{
	struct table_cell *cell;
	size_t i, bytes = 0;

	if (n == 0 || n != t->ncolumns)
		return "a record has the wrong number of fields";
	for (i = 0; i < n; i++) {
		if (!decodes(&cells[i]))
			return "a record is badly encoded";
		bytes += cells[i].len;
	}
	if (!table_reserve(t, 1, bytes))
		return "the reply is too large";
	cell = t->cells + t->nrows++ * n;
	for (i = 0; i < n; i++) {
		cell[i].start = (uint32_t)t->text.len;
		cell[i].len = (uint32_t)cells[i].len;
		memcpy(t->text.data + t->text.len, cells[i].s, cells[i].len);
		t->text.len += cells[i].len;
	}
	return NULL;
}

int
table_column(const struct table *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->ncolumns; i++)
		if (strcmp(t->columns[i], name) == 0)
			return (int)i;
	return -1;
}

const char *
table_cell(const struct table *t, size_t row, size_t column, size_t *len)
{
	const struct table_cell *cell = &t->cells[row * t->ncolumns + column];

	*len = cell->len;
	return t->text.data + cell->start;
}

const char *
table_text(const struct table *t, size_t row, size_t column, struct buf *out)
{
	size_t len;
	const char *s = table_cell(t, row, column, &len);
	char *to;

	buf_reset(out);
	if ((to = buf_room(out, len + 1)) == NULL)
		return "";
	memcpy(to, s, len);
	/*
	 * Decoding cannot fail, because table_add_row() has checked the cell.
	 */
	out->len = (size_t)wire_decode(to, len);
	return to;
}

const char *
table_named_text(
	const struct table *t, size_t row, const char *column, struct buf *out)
{
	int i = table_column(t, column);

	buf_reset(out);
	return i < 0 ? buf_str(out) : table_text(t, row, (size_t)i, out);
}

void
table_clear(struct table *t)
{
	t->nrows = 0;
	buf_reset(&t->text);
}

void
table_free(struct table *t)
{
	size_t i;

	for (i = 0; i < t->ncolumns; i++)
		free(t->columns[i]);
	free(t->cells);
	buf_free(&t->text);
	memset(t, 0, sizeof(*t));
}
