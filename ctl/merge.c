#include "merge.h"

#include "shape.h"
#include "wire.h"

#include <string.h>

bool
merge_fits(const struct reply *merged, const struct reply *r)
{
	size_t i;

	if (reply_column(r, SHAPE_HOST) >= 0 ||
		r->ncolumns + 1 > WIRE_COLUMNS_MAX)
		return false;
	if (merged->ncolumns == 0)
		return true;
	if (merged->ncolumns != r->ncolumns + 1)
		return false;
	for (i = 0; i < r->ncolumns; i++)
		if (strcmp(merged->columns[i + 1], r->columns[i]) != 0)
			return false;
	return true;
}

static int
take_line(struct reply *merged, struct buf *line)
{
	wire_end(line);
	if (line->failed ||
		reply_line(merged, line->data, line->len - 1) != REPLY_MORE)
		return -1;
	buf_reset(line);
	return 0;
}

static int
add_columns(struct reply *out, const char *first, const struct reply *r)
{
	struct buf line = { 0 };
	int result;
	size_t i;

	wire_record(&line);
	if (first != NULL)
		wire_puts(&line, first);
	for (i = 0; i < r->ncolumns; i++)
		wire_puts(&line, r->columns[i]);
	result = take_line(out, &line);
	buf_free(&line);
	return result;
}

int
merge_head(struct reply *merged, const struct reply *r)
{
	return add_columns(merged, SHAPE_HOST, r);
}

int
merge_columns(struct reply *out, const struct reply *r)
{
	return add_columns(out, NULL, r);
}

static int
add_row(struct reply *merged, const char *host, const struct reply *r,
	size_t row, struct buf *line)
{
	const char *cell;
	size_t i, len;

	wire_record(line);
	wire_puts(line, host);
	for (i = 0; i < r->ncolumns; i++) {
		cell = reply_cell(r, row, i, &len);
		/* Encoded it came, and so it goes on. */
		buf_addc(line, '#');
		buf_add(line, cell, len);
	}
	return take_line(merged, line);
}

int
merge_add(struct reply *merged, const char *host, const struct reply *r)
{
	size_t row, before = merged->nrows;
	struct buf line = { 0 };
	int result = 0;

	if (merged->ncolumns == 0)
		result = merge_head(merged, r);
	for (row = 0; row < r->nrows && result == 0; row++)
		result = add_row(merged, host, r, row, &line);
	if (result != 0)
		reply_truncate(merged, before);
	buf_free(&line);
	return result;
}
