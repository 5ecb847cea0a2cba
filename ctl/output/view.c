#include "output/view.h"

#include "util/problem.h"
#include "verbs.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A row, and the value by which the row is sorted. */
struct sort_key {
	size_t row;
	uint64_t number;
	/* the text by which the row is sorted; NULL: sort by `number` */
	char *text;
	bool descending;
};

int
view_all(struct view *v, const struct table *t)
{
	size_t i;

	memset(v, 0, sizeof(*v));
	v->table = t;
	v->ncolumns = t->ncolumns;
	for (i = 0; i < t->ncolumns; i++)
		v->columns[i] = i;
	if ((v->rows = calloc(t->nrows + 1, sizeof(v->rows[0]))) == NULL)
		return -1;
	v->nrows = t->nrows;
	for (i = 0; i < t->nrows; i++)
		v->rows[i] = i;
	return 0;
}

/*
 * Return the index of the column whose name is the `len` bytes at `s`. If there
 * is no such column, append an error and return -1.
 */
static int
find_column(const struct table *t, const char *s, size_t len, struct buf *error)
{
	size_t i;

	for (i = 0; i < t->ncolumns; i++)
		if (strlen(t->columns[i]) == len &&
			strncmp(t->columns[i], s, len) == 0)
			return (int)i;
	buf_addf(error, "there is no column '%.*s'; the columns are", (int)len,
		s);
	for (i = 0; i < t->ncolumns; i++)
		buf_addf(error, "%s %s", i ? "," : "", t->columns[i]);
	return -1;
}

int
view_select(struct view *v, const char *list, struct buf *error)
{
	size_t n = 0, len, i;
	int column;

	for (;; list += len + 1) {
		len = strcspn(list, ",");
		if ((column = find_column(v->table, list, len, error)) < 0)
			return -1;
		for (i = 0; i < n; i++) {
			if (v->columns[i] == (size_t)column)
				return problem_add(error,
					"column '%s' is given twice",
					v->table->columns[column]);
		}
		v->columns[n++] = (size_t)column;
		if (list[len] == '\0')
			break;
	}
	v->ncolumns = n;
	return 0;
}

void
view_hide(struct view *v, const char *name)
{
	size_t i, n = 0;

	for (i = 0; i < v->ncolumns; i++)
		if (strcmp(view_column(v, i), name) != 0)
			v->columns[n++] = v->columns[i];
	v->ncolumns = n;
}

static int
compare_keys(const void *pa, const void *pb)
{
	const struct sort_key *a = pa, *b = pb;
	int order;

	if (a->text != NULL && b->text != NULL)
		order = strcmp(a->text, b->text);
	else
		order = (a->number > b->number) - (a->number < b->number);
	if (a->descending)
		order = -order;
	return order ? order : (a->row > b->row) - (a->row < b->row);
}

static uint64_t
number_of(const struct table *t, size_t row, size_t column, struct buf *scratch)
{
	return strtoull(table_text(t, row, column, scratch), NULL, 10);
}

/* Sort v->rows by one column. Return 0, or -1 if no memory is available. */
static int
sort_rows(struct view *v, size_t column, bool descending)
{
	bool number = verb_column_is_number(v->table->columns[column]);
	struct buf scratch = { 0 };
	struct sort_key *keys;
	int result = -1;
	size_t i;

	if ((keys = calloc(v->nrows + 1, sizeof(keys[0]))) == NULL)
		return -1;
	for (i = 0; i < v->nrows; i++) {
		keys[i].row = v->rows[i];
		keys[i].descending = descending;
		if (number)
			keys[i].number = number_of(
				v->table, v->rows[i], column, &scratch);
		else if ((keys[i].text = strdup(table_text(v->table, v->rows[i],
				  column, &scratch))) == NULL)
			goto out;
	}
	qsort(keys, v->nrows, sizeof(keys[0]), compare_keys);
	for (i = 0; i < v->nrows; i++)
		v->rows[i] = keys[i].row;
	result = 0;
out:
	for (i = 0; i < v->nrows; i++)
		free(keys[i].text);
	free(keys);
	buf_free(&scratch);
	return result;
}

int
view_sort(struct view *v, const char *by, struct buf *error)
{
	bool descending = *by == '-';
	const char *colon;
	size_t len;
	int column;

	if (descending)
		by++;
	colon = strchr(by, ':');
	len = colon ? (size_t)(colon - by) : strlen(by);
	if (colon != NULL && strcmp(colon, ":desc") == 0) {
		descending = true;
	} else if (colon != NULL && strcmp(colon, ":asc") != 0) {
		return problem_add(error,
			"invalid sort order '%s': use COLUMN:desc or "
			"COLUMN:asc",
			by);
	}
	if ((column = find_column(v->table, by, len, error)) < 0)
		return -1;
	if (sort_rows(v, (size_t)column, descending) == 0)
		return 0;
	return problem_add(error, "out of memory");
}

/*
 * Return the row of the process with this pid, or VIEW_ROOT if there is no such
 * row. `keys` must be sorted by pid.
 */
static size_t
find_parent(const struct sort_key *keys, size_t n, uint64_t pid)
{
	size_t low = 0, high = n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (keys[middle].number < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && keys[low].number == pid ? keys[low].row : VIEW_ROOT;
}

/*
 * Remove loops from `parents`, and limit the depth of the trees. Loops are
 * possible, because processes change during the listing. A hostile host can
 * also send wrong parents.
 *
 * From each row, walk up to a root or to a row whose depth is known. If the
 * walk returns to one of its own rows, there is a loop. The last row of the
 * walk then becomes a root. Walk back down, and store the depth of each row. A
 * row deeper than VIEW_DEPTH_MAX becomes a root. The whole function visits each
 * row twice.
 */
static void
cut_loops(size_t *parents, size_t *depth, size_t *path, size_t n)
{
	const size_t unknown = 0, walking = SIZE_MAX;
	size_t i, at, length;

	for (i = 0; i < n; i++) {
		length = 0;
		for (at = i; at != VIEW_ROOT && depth[at] == unknown;
			at = parents[at]) {
			depth[at] = walking;
			path[length++] = at;
		}
		if (at != VIEW_ROOT && depth[at] == walking)
			parents[path[length - 1]] = VIEW_ROOT;
		while (length-- > 0) {
			at = path[length];
			if (parents[at] != VIEW_ROOT &&
				depth[parents[at]] >= VIEW_DEPTH_MAX)
				parents[at] = VIEW_ROOT;
			depth[at] = parents[at] == VIEW_ROOT
					    ? 1
					    : depth[parents[at]] + 1;
		}
	}
}

/* Fill in v->parents. Return 0, or -1 if no memory is available. */
static int
link_rows(struct view *v, size_t pid, size_t ppid)
{
	struct sort_key *keys = calloc(v->nrows + 1, sizeof(keys[0]));
	size_t *depth = calloc(v->nrows + 1, sizeof(depth[0]));
	size_t *path = calloc(v->nrows + 1, sizeof(path[0]));
	struct buf scratch = { 0 };
	int result = -1;
	size_t i;

	v->parents = calloc(v->nrows + 1, sizeof(v->parents[0]));
	if (!keys || !depth || !path || !v->parents)
		goto out;
	for (i = 0; i < v->nrows; i++) {
		keys[i].row = i;
		keys[i].number = number_of(v->table, v->rows[i], pid, &scratch);
	}
	qsort(keys, v->nrows, sizeof(keys[0]), compare_keys);
	for (i = 0; i < v->nrows; i++)
		v->parents[i] = find_parent(keys, v->nrows,
			number_of(v->table, v->rows[i], ppid, &scratch));
	cut_loops(v->parents, depth, path, v->nrows);
	result = 0;
out:
	free(keys);
	free(depth);
	free(path);
	buf_free(&scratch);
	return result;
}

int
view_tree(struct view *v, struct buf *error)
{
	int pid = find_column(v->table, "pid", 3, error);
	int ppid = pid < 0 ? -1 : find_column(v->table, "ppid", 4, error);

	if (pid < 0 || ppid < 0)
		return -1;
	if (link_rows(v, (size_t)pid, (size_t)ppid) == 0)
		return 0;
	return problem_add(error, "out of memory");
}

void
view_free(struct view *v)
{
	free(v->rows);
	free(v->parents);
	memset(v, 0, sizeof(*v));
}
