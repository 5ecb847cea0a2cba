#include "fanout/group_equal.h"

#include <stdlib.h>
#include <string.h>

struct key {
	struct buf text;
	size_t index;
};

/*
 * True if pairs with this key normally differ between hosts, even if the
 * results are equal. The comparison ignores these pairs.
 */
static bool
is_its_own(const char *pair)
{
	return strcmp(pair, "id") == 0 || strcmp(pair, "uptime") == 0;
}

/*
 * Append a text that is equal for equal results and differs for different
 * results. Lengths and NULs separate the parts of the text.
 */
static void
make_key(const struct result *a, struct buf *out)
{
	const struct reply *r = &a->reply;
	const struct table *t = &r->table;
	size_t i, row, len;
	const char *cell;

	buf_addf(out, "%d %d %zu", a->result_kind, r->code, t->ncolumns);
	for (i = 0; i < t->ncolumns; i++)
		buf_add(out, t->columns[i], strlen(t->columns[i]) + 1);
	for (row = 0; row < t->nrows; row++) {
		for (i = 0; i < t->ncolumns; i++) {
			cell = table_cell(t, row, i, &len);
			buf_add(out, cell, len);
			buf_addc(out, '\0');
		}
	}
	for (i = 0; i < REPLY_STREAMS; i++) {
		buf_addf(out, "%zu ", r->kept[i].len);
		buf_add(out, r->kept[i].data, r->kept[i].len);
	}
	if (r->said != NULL)
		buf_add(out, r->said, strlen(r->said) + 1);
	for (i = 0; i < r->npairs; i++)
		if (!is_its_own(r->pairs[i].key))
			buf_addf(out, "%s=%s%c", r->pairs[i].key,
				r->pairs[i].value, '\0');
	buf_add(out, a->problem.data, a->problem.len);
	buf_add(out, a->notices.data, a->notices.len);
}

static int
compare_text(const struct key *a, const struct key *b)
{
	size_t len = a->text.len < b->text.len ? a->text.len : b->text.len;
	int order = memcmp(a->text.data, b->text.data, len);

	return order ? order
		     : (a->text.len > b->text.len) -
			       (a->text.len < b->text.len);
}

static int
compare_keys(const void *pa, const void *pb)
{
	const struct key *a = pa, *b = pb;
	int order = compare_text(a, b);

	return order ? order : (a->index > b->index) - (a->index < b->index);
}

static int
compare_groups(const void *pa, const void *pb)
{
	const struct equal_group *a = pa, *b = pb;

	return (a->indexes[0] > b->indexes[0]) -
	       (a->indexes[0] < b->indexes[0]);
}

/*
 * Make one group for each set of equal keys. The keys are sorted, so that equal
 * keys are neighbours.
 */
static void
make_groups(struct equal_groups *g, const struct key *keys, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		g->order[i] = keys[i].index;
		if (i == 0 || compare_text(&keys[i - 1], &keys[i]) != 0)
			g->groups[g->n++].indexes = &g->order[i];
		g->groups[g->n - 1].n++;
	}
	qsort(g->groups, g->n, sizeof(g->groups[0]), compare_groups);
}

int
equal_groups_make(
	struct equal_groups *g, const struct result *answers, size_t n)
{
	struct key *keys = calloc(n + 1, sizeof(keys[0]));
	bool failed = false;
	size_t i, nkeys = 0;

	memset(g, 0, sizeof(*g));
	g->groups = calloc(n + 1, sizeof(g->groups[0]));
	g->order = calloc(n + 1, sizeof(g->order[0]));
	failed = keys == NULL || g->groups == NULL || g->order == NULL;
	for (i = 0; i < n && !failed; i++) {
		if (answers[i].host == NULL)
			continue;
		keys[nkeys].index = i;
		make_key(&answers[i], &keys[nkeys].text);
		failed = keys[nkeys++].text.failed;
	}
	if (!failed) {
		qsort(keys, nkeys, sizeof(keys[0]), compare_keys);
		make_groups(g, keys, nkeys);
	}
	for (i = 0; i < nkeys; i++)
		buf_free(&keys[i].text);
	free(keys);
	return failed ? -1 : 0;
}

void
equal_groups_free(struct equal_groups *g)
{
	free(g->groups);
	free(g->order);
	memset(g, 0, sizeof(*g));
}
