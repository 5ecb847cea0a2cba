#include "view.h"

#include "verbs.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A row and what it is compared by. */
struct sort_key {
	size_t row;
	uint64_t number;
	char *text; /* NULL: by number */
	bool descending;
};

int
view_all(struct view *v, const struct reply *r)
{
	size_t i;

	memset(v, 0, sizeof(*v));
	v->ncolumns = r->ncolumns;
	for (i = 0; i < r->ncolumns; i++)
		v->columns[i] = i;
	if ((v->rows = calloc(r->nrows + 1, sizeof(v->rows[0]))) == NULL)
		return -1;
	v->nrows = r->nrows;
	for (i = 0; i < r->nrows; i++)
		v->rows[i] = i;
	return 0;
}

/* The index of a column of which len bytes are the name, or -1. */
static int
find_column(const struct reply *r, const char *s, size_t len, struct buf *error)
{
	size_t i;

	for (i = 0; i < r->ncolumns; i++)
		if (strlen(r->columns[i]) == len &&
			strncmp(r->columns[i], s, len) == 0)
			return (int)i;
	buf_addf(error, "there is no column '%.*s': there are", (int)len, s);
	for (i = 0; i < r->ncolumns; i++)
		buf_addf(error, "%s %s", i ? "," : "", r->columns[i]);
	return -1;
}

int
view_select(struct view *v, const struct reply *r, const char *list,
	struct buf *error)
{
	size_t n = 0, len, i;
	int column;

	for (;; list += len + 1) {
		len = strcspn(list, ",");
		if ((column = find_column(r, list, len, error)) < 0)
			return -1;
		for (i = 0; i < n; i++) {
			if (v->columns[i] == (size_t)column) {
				buf_addf(error, "column '%s' is named twice",
					r->columns[column]);
				return -1;
			}
		}
		v->columns[n++] = (size_t)column;
		if (list[len] == '\0')
			break;
	}
	v->ncolumns = n;
	return 0;
}

void
view_hide(struct view *v, const struct reply *r, const char *name)
{
	size_t i, n = 0;

	for (i = 0; i < v->ncolumns; i++)
		if (strcmp(r->columns[v->columns[i]], name) != 0)
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
number_of(const struct reply *r, size_t row, size_t column, struct buf *scratch)
{
	return strtoull(reply_text(r, row, column, scratch), NULL, 10);
}

/* Sorts v->rows by one column; -1 if memory is short. */
static int
sort_rows(struct view *v, const struct reply *r, size_t column, bool descending)
{
	bool number = verb_column_is_number(r->columns[column]);
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
			keys[i].number =
				number_of(r, v->rows[i], column, &scratch);
		else if ((keys[i].text = strdup(reply_text(
				  r, v->rows[i], column, &scratch))) == NULL)
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
view_sort(struct view *v, const struct reply *r, const char *by,
	struct buf *error)
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
		buf_addf(error, "'%s': a column is followed by :desc or :asc",
			by);
		return -1;
	}
	if ((column = find_column(r, by, len, error)) < 0)
		return -1;
	if (sort_rows(v, r, (size_t)column, descending) == 0)
		return 0;
	buf_adds(error, "out of memory");
	return -1;
}

/* Finds each row's parent by its pid: keys are sorted by that number. */
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
 * Makes a forest of what may be any graph. The answer is a snapshot taken
 * over time, from a machine that may lie, so the parents may form a ring.
 * Each row is walked up from until one is met whose depth is known; a row
 * met twice on one walk closes a ring, which is cut there. Then the walk is
 * gone again to number the depths. All in all each row is visited twice.
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

/* Fills in v->parents; -1 if memory is short. */
static int
link_rows(struct view *v, const struct reply *r, size_t pid, size_t ppid)
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
		keys[i].number = number_of(r, v->rows[i], pid, &scratch);
	}
	qsort(keys, v->nrows, sizeof(keys[0]), compare_keys);
	for (i = 0; i < v->nrows; i++)
		v->parents[i] = find_parent(keys, v->nrows,
			number_of(r, v->rows[i], ppid, &scratch));
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
view_tree(struct view *v, const struct reply *r, struct buf *error)
{
	int pid = find_column(r, "pid", 3, error);
	int ppid = pid < 0 ? -1 : find_column(r, "ppid", 4, error);

	if (pid < 0 || ppid < 0)
		return -1;
	if (link_rows(v, r, (size_t)pid, (size_t)ppid) == 0)
		return 0;
	buf_adds(error, "out of memory");
	return -1;
}

void
view_free(struct view *v)
{
	free(v->rows);
	free(v->parents);
	memset(v, 0, sizeof(*v));
}
