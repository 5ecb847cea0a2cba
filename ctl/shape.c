#include "shape.h"

#include "report.h"

#include <string.h>

static int
select_columns(struct view *v, const struct reply *r, const char *list,
	struct buf *error)
{
	struct buf whole = { 0 };
	int result;

	if (strcmp(r->columns[0], SHAPE_HOST) == 0 &&
		strncmp(list, SHAPE_HOST ",", strlen(SHAPE_HOST ",")) != 0)
		buf_adds(&whole, SHAPE_HOST ",");
	buf_adds(&whole, list);
	result = view_select(v, r, buf_str(&whole), error);
	buf_free(&whole);
	return result;
}

int
shape(const struct invocation *inv, const struct reply *r, struct view *v,
	struct buf *error)
{
	const struct options *o = &inv->options;

	if (report_view(inv, r, v) != 0) {
		buf_adds(error, "out of memory");
		return -1;
	}
	if (r->ncolumns == 0)
		return 0;
	if (o->values[OPT_SORT] != NULL &&
		view_sort(v, r, o->values[OPT_SORT], error) != 0)
		return -1;
	if (options_given(o, OPT_TREE) && view_tree(v, r, error) != 0)
		return -1;
	if (o->values[OPT_COLUMNS] != NULL)
		return select_columns(v, r, o->values[OPT_COLUMNS], error);
	return 0;
}
