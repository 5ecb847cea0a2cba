#include "output/table_merge.h"

#include "wire.h"

#include <string.h>

bool
table_merge_fits(const struct table *merged, const struct table *t)
{
	size_t i;

	if (table_column(t, TABLE_MERGE_HOST) >= 0 ||
		t->ncolumns + 1 > WIRE_COLUMNS_MAX)
		return false;
	if (merged->ncolumns == 0)
		return true;
	if (merged->ncolumns != t->ncolumns + 1)
		return false;
	for (i = 0; i < t->ncolumns; i++)
		if (strcmp(merged->columns[i + 1], t->columns[i]) != 0)
			return false;
	return true;
}

static int
add_columns(struct table *merged, const struct table *t)
{
	const char *name = TABLE_MERGE_HOST;
	size_t i;

	for (i = 0; i <= t->ncolumns; name = t->columns[i++])
		if (table_add_column(merged, name, strlen(name)) != NULL)
			return -1;
	return 0;
}

/*
 * The host's name is stored only once. The first cell of each new row points to
 * the stored name.
 */
int
table_merge_add(struct table *merged, const char *host, const struct table *t)
{
	size_t i, column, start;
	struct table_cell first, *to;
	const struct table_cell *from = t->cells;

	if (merged->ncolumns == 0 && add_columns(merged, t) != 0)
		return -1;
	if (!table_reserve(merged, t->nrows, 3 * strlen(host) + t->text.len))
		return -1;
	first.start = (uint32_t)merged->text.len;
	wire_encode(&merged->text, host, strlen(host));
	start = merged->text.len;
	first.len = (uint32_t)start - first.start;
	buf_add(&merged->text, t->text.data, t->text.len);
	to = merged->cells + merged->nrows * merged->ncolumns;
	for (i = 0; i < t->nrows; i++) {
		*to++ = first;
		for (column = 0; column < t->ncolumns; column++, from++, to++) {
			to->start = from->start + (uint32_t)start;
			to->len = from->len;
		}
	}
	merged->nrows += t->nrows;
	return 0;
}
