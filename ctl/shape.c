#include "shape.h"

#include "merge.h"
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

int
shape_check(const struct invocation *inv, const struct reply *r, bool merged,
	struct buf *error)
{
	struct reply head = { 0 };
	struct view view = { 0 };
	int result = 0;

	/* Whether it can be merged at all is another question. */
	if (merged && merge_fits(&head, r))
		result = merge_head(&head, r);
	else
		result = merge_columns(&head, r);
	if (result != 0)
		buf_adds(error, "out of memory");
	else
		result = shape(inv, &head, &view, error);
	view_free(&view);
	reply_free(&head);
	return result;
}
