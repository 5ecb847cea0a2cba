#include "fanout/merge_results.h"

#include "output/raw.h"
#include "output/table_merge.h"
#include "output/table_print.h"
#include "output/view_options.h"
#include "util/message.h"

#include <unistd.h>

struct merging {
	const struct table_output *output;
	struct table table;
	/*
	 * true if the rows are shown as several tables, because one table would
	 * be too large
	 */
	bool split;
	int result;
};

static int
show_view(const struct table_output *o, const struct view *v)
{
	if (o->screen != NULL)
		return table_format(v, o->fd, o->screen);
	if (invocation_has(o->inv, OPT_RAW) && o->fd == STDOUT_FILENO)
		return raw_print(v, o->fd);
	return table_print(v, o->fd);
}

int
table_output_show(const struct table_output *o, const struct table *t)
{
	struct buf error = { 0 };
	struct view view = { 0 };
	int result = -1;

	if (t->ncolumns == 0)
		return 0;
	if (view_options_apply(o->inv, t, &view, &error) != 0)
		message_print("%s", buf_str(&error));
	else
		result = show_view(o, &view);
	view_free(&view);
	buf_free(&error);
	return result;
}

static void
show_merged(struct merging *m)
{
	if (table_output_show(m->output, &m->table) != 0)
		m->result = -1;
	table_free(&m->table);
}

/*
 * Show the merged rows as one table, and begin another table. If --sort is
 * given, set m->result to -1, because the rows are sorted in each table only.
 */
static void
split_table(struct merging *m)
{
	bool sorted = invocation_has(m->output->inv, OPT_SORT);

	if (!m->split)
		message_print("too many rows for one table: shown as several "
			      "tables%s",
			sorted ? ", each sorted separately" : "");
	m->split = true;
	show_merged(m);
	if (sorted)
		m->result = -1;
}

static void
leave_out(struct merging *m, const struct result *a, const char *why)
{
	if (m->output->screen != NULL)
		return;
	message_host(a->host->label, "%s", why);
	m->result = -1;
}

/*
 * Append the rows of a result to the merged table. Return false if the screen
 * is full and needs no more rows.
 */
static bool
merge(struct merging *m, const struct result *a)
{
	const struct table *t = &a->reply.table;
	const char *host = a->host->label;

	/*
	 * Begin another table for other columns. Columns can differ if the host
	 * runs another version of bridled.
	 */
	if (!table_merge_fits(&m->table, t))
		show_merged(m);
	if (!table_merge_fits(&m->table, t)) {
		leave_out(m, a,
			"the table is not shown: it has too many columns, or a "
			"column named host");
		return true;
	}
	if (table_merge_add(&m->table, host, t) == 0)
		return true;
	/*
	 * Stop here, because the table already has more rows than a screen can
	 * show.
	 */
	if (m->output->screen != NULL)
		return false;
	split_table(m);
	if (table_merge_add(&m->table, host, t) != 0)
		leave_out(m, a, "the table is too long to show");
	return true;
}

int
merge_results_show(
	const struct table_output *o, const struct result *results, size_t n)
{
	struct merging m = { .output = o };
	size_t i;

	for (i = 0; i < n; i++)
		if (results[i].host != NULL &&
			results[i].reply.table.nrows > 0 &&
			!merge(&m, &results[i]))
			break;
	show_merged(&m);
	return m.result;
}

bool
column_check_add(struct column_check *c, const struct invocation *inv,
	bool merged, struct result *a)
{
	struct buf error = { 0 };
	bool good;

	if (a->reply.table.ncolumns == 0)
		return true;
	good = view_options_check(inv, &a->reply.table, merged, &error) == 0;
	if (good) {
		c->good++;
	} else {
		c->bad++;
		result_fail(a, RESULT_FAILED, buf_str(&error));
	}
	buf_free(&error);
	return good;
}
