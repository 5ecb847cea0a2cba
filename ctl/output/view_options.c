#include "output/view_options.h"

#include "output/render.h"
#include "output/table_merge.h"
#include "util/problem.h"

#include <string.h>

static int
select_columns(struct view *v, const char *list, struct buf *error)
{
	struct buf whole = { 0 };
	int result;

	if (strcmp(v->table->columns[0], TABLE_MERGE_HOST) == 0 &&
		strncmp(list, TABLE_MERGE_HOST ",",
			strlen(TABLE_MERGE_HOST ",")) != 0)
		buf_adds(&whole, TABLE_MERGE_HOST ",");
	buf_adds(&whole, list);
	result = view_select(v, buf_str(&whole), error);
	buf_free(&whole);
	return result;
}

int
view_options_apply(const struct invocation *inv, const struct table *t,
	struct view *v, struct buf *error)
{
	const struct options *o = &inv->options;

	if (view_all(v, t) != 0)
		return problem_add(error, "out of memory");
	/*
	 * Hide the column "token" from people, because only scripts need
	 * tokens. Scripts send a token back with only=.
	 */
	if (render_is_text(inv))
		view_hide(v, "token");
	if (t->ncolumns == 0)
		return 0;
	if (o->values[OPT_SORT] != NULL &&
		view_sort(v, o->values[OPT_SORT], error) != 0)
		return -1;
	if (options_given(o, OPT_TREE) && view_tree(v, error) != 0)
		return -1;
	if (o->values[OPT_COLUMNS] != NULL)
		return select_columns(v, o->values[OPT_COLUMNS], error);
	return 0;
}

int
view_options_check(const struct invocation *inv, const struct table *t,
	bool merged, struct buf *error)
{
	char host[] = TABLE_MERGE_HOST;
	struct table head = { 0 };
	struct view view = { 0 };
	int result;
	size_t i;

	/*
	 * Accept a table that cannot be merged, because merge_results_show()
	 * reports this failure later.
	 */
	if (merged && table_merge_fits(&head, t))
		head.columns[head.ncolumns++] = host;
	for (i = 0; i < t->ncolumns; i++)
		head.columns[head.ncolumns++] = t->columns[i];
	result = view_options_apply(inv, &head, &view, error);
	view_free(&view);
	return result;
}
