#include "report_many.h"

#include "gather.h"
#include "json.h"
#include "merge.h"
#include "notice.h"
#include "output.h"
#include "pong.h"
#include "raw.h"
#include "report.h"
#include "run_output.h"
#include "shape.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
has_table(const struct request *r)
{
	return r->explain || r->verb == VERB_LIST || r->verb == VERB_STATUS ||
	       r->verb == VERB_VERBS || r->verb == VERB_KILL;
}

/* Whether all rows go into one table, which is shown at the end. */
static bool
is_merged(const struct invocation *inv)
{
	if (!has_table(&inv->request))
		return false;
	if (invocation_has(inv, OPT_JSON) || invocation_has(inv, OPT_TREE) ||
		invocation_has(inv, OPT_GATHER))
		return false;
	return !invocation_has(inv, OPT_RAW) || invocation_has(inv, OPT_SORT);
}

/* The answer is shown as if it were the only one's. */
static void
turn_to(struct invocation *inv, struct host *as, const struct host *host,
	char *label)
{
	*as = *host;
	if (label != NULL) {
		as->label = label;
		as->target.name = label;
	}
	invocation_turn(inv, as);
}

static int
print_json(const struct invocation *inv, struct answer *a, const struct view *v)
{
	struct buf line = { 0 };
	int result;

	json_answer(&line, inv->target.name, &a->reply, v,
		a->problem.len ? buf_str(&a->problem) : NULL,
		fate_keys[a->fate]);
	result = line.failed ? -1
			     : output_write(STDOUT_FILENO, line.data, line.len);
	buf_free(&line);
	return result;
}

/* Of several hosts it has them once above it, of one before each line. */
static int
print_output(const struct invocation *inv, const struct reply *r, bool several)
{
	if (!several)
		return run_output_lines(r, inv->target.name);
	if (report_line("%s:", inv->target.name) != 0)
		return -1;
	return run_output_lines(r, NULL);
}

/* The rows and the good news, where they stand for themselves. */
static int
print_alone(const struct invocation *inv, struct answer *a,
	const struct view *v, bool several)
{
	const struct reply *r = &a->reply;
	bool rows = has_table(&inv->request) && v->nrows > 0;

	if (invocation_has(inv, OPT_JSON))
		return print_json(inv, a, v);
	if (invocation_has(inv, OPT_RAW))
		return report_merged(inv, a, 1, STDOUT_FILENO);
	if (rows && (report_line("%s:", inv->target.name) != 0 ||
			    table_print(r, v, STDOUT_FILENO) != 0))
		return -1;
	if (r->chunked && print_output(inv, r, several) != 0)
		return -1;
	if (a->fate != FATE_OK || a->problem.len > 0 || r->chunked)
		return 0;
	if (inv->command->run == cmd_ping)
		return pong_print(inv, r, several ? -1 : a->microseconds);
	if (rows && inv->request.verb != VERB_KILL)
		return 0;
	return report_line("%s: %s", inv->target.name, r->said);
}

/* What is wrong with it, on stderr. */
static void
complain(const struct invocation *inv, struct answer *a)
{
	fputs(buf_str(&a->notices), stderr);
	/* Those are listed at the end. */
	if (a->fate == FATE_NOT_ASKED || a->fate == FATE_NO_MATCH)
		return;
	if (a->problem.len > 0)
		report_problem(inv, buf_str(&a->problem));
	else
		report_status(inv, &a->reply);
}

static void
show(struct report_many *m, struct answer *a, char *label)
{
	struct buf error = { 0 };
	struct view view = { 0 };
	struct host as;

	turn_to(m->inv, &as, a->host, label);
	/* What could not be written once is not tried for each host. */
	if (!is_merged(m->inv) && !m->failed &&
		(shape(m->inv, &a->reply, &view, &error) != 0 ||
			print_alone(m->inv, a, &view, label != NULL) != 0))
		m->failed = true;
	complain(m->inv, a);
	invocation_turn(m->inv, &m->inv->hosts.v[0]);
	view_free(&view);
	buf_free(&error);
}

/* The one table of all hosts, or a part of it. */
struct merging {
	const struct invocation *inv;
	int fd;
	struct reply table;
	bool told; /* that there will be several */
};

/* Prints what there is, and begins anew. */
static int
print_part(struct merging *m)
{
	const struct invocation *inv = m->inv;
	struct buf error = { 0 };
	struct view view = { 0 };
	int result = -1;

	if (m->table.ncolumns == 0)
		return 0;
	if (shape(inv, &m->table, &view, &error) != 0)
		notice("%s", buf_str(&error));
	else if (invocation_has(inv, OPT_RAW) && m->fd == STDOUT_FILENO)
		result = raw_print(&m->table, &view, m->fd);
	else
		result = table_print(&m->table, &view, m->fd);
	view_free(&view);
	buf_free(&error);
	reply_free(&m->table);
	return result;
}

/* The whole would be too long. What cannot be sorted as one has failed. */
static int
part(struct merging *m)
{
	if (!m->told)
		notice("that is too much for one table: it comes in several%s",
			invocation_has(m->inv, OPT_SORT)
				? ", each sorted by itself"
				: "");
	m->told = true;
	return print_part(m) != 0 || invocation_has(m->inv, OPT_SORT) ? -1 : 0;
}

static int
merge(struct merging *m, const struct answer *a)
{
	const char *label;
	int result = 0;

	if (a->host == NULL || a->reply.nrows == 0)
		return 0;
	label = a->host->label;
	/* Of another version, it may have other columns. */
	if (!merge_fits(&m->table, &a->reply))
		result = print_part(m);
	if (!merge_fits(&m->table, &a->reply)) {
		notice_host(label, "its table is not shown: it has "
				   "too many columns, or one of hosts");
		return -1;
	}
	if (merge_add(&m->table, label, &a->reply) == 0)
		return result;
	result |= part(m);
	if (merge_add(&m->table, label, &a->reply) == 0)
		return result;
	notice_host(label, "its table is too long to be shown");
	return -1;
}

int
report_merged(const struct invocation *inv, const struct answer *answers,
	size_t n, int fd)
{
	struct merging m = { .inv = inv, .fd = fd };
	int result = 0;
	size_t i;

	for (i = 0; i < n; i++)
		result |= merge(&m, &answers[i]);
	return result | print_part(&m);
}

static void
show_gathered(struct report_many *m)
{
	struct gather groups;
	char *label;
	size_t i;

	if (gather_make(&groups, m->kept, m->inv->hosts.n) != 0) {
		notice("no memory for the answers");
		m->failed = true;
	}
	for (i = 0; i < groups.n; i++) {
		label = gather_label(&groups.groups[i], m->kept);
		show(m, &m->kept[groups.groups[i].indexes[0]], label);
		free(label);
	}
	gather_free(&groups);
}

/* --ordered: those whose turn it is. */
static void
show_next(struct report_many *m)
{
	struct answer *a;

	for (; m->next < m->inv->hosts.n; m->next++) {
		a = &m->kept[m->next];
		if (a->host == NULL)
			return;
		show(m, a, NULL);
		if (!is_merged(m->inv))
			answer_free(a);
	}
}

/*
 * A table that has not the columns that were asked for is its host's own
 * failure. Where it is everybody's, the column was mistyped.
 */
static void
fit_shape(struct report_many *m, struct answer *a)
{
	struct buf error = { 0 };

	if (a->reply.ncolumns == 0)
		return;
	if (shape_check(m->inv, &a->reply, is_merged(m->inv), &error) == 0) {
		m->fitting++;
	} else {
		m->misfits++;
		answer_fail(a, FATE_FAILED, buf_str(&error));
	}
	buf_free(&error);
}

int
report_many_begin(struct report_many *m, struct invocation *inv)
{
	memset(m, 0, sizeof(*m));
	m->inv = inv;
	m->kept = calloc(inv->hosts.n + 1, sizeof(m->kept[0]));
	if (m->kept != NULL && tally_begin(&m->tally, inv->hosts.n) == 0)
		return 0;
	notice("out of memory");
	return -1;
}

void
report_many_take(void *taker, struct answer *a)
{
	struct report_many *m = taker;
	const struct invocation *inv = m->inv;
	bool ordered = invocation_has(inv, OPT_ORDERED);

	fit_shape(m, a);
	tally_add(&m->tally, a);
	if (!ordered && !invocation_has(inv, OPT_GATHER))
		show(m, a, NULL);
	if (!ordered && !invocation_has(inv, OPT_GATHER) && !is_merged(inv))
		return;
	m->kept[a->index] = *a;
	memset(a, 0, sizeof(*a));
	if (ordered && !invocation_has(inv, OPT_GATHER))
		show_next(m);
}

/* --ordered: the first of them was not meant, or the order is another. */
static void
show_rest(struct report_many *m)
{
	for (; m->next < m->inv->hosts.n; m->next++)
		if (m->kept[m->next].host != NULL)
			show(m, &m->kept[m->next], NULL);
}

static void
sum_up(struct report_many *m)
{
	bool json = invocation_has(m->inv, OPT_JSON);
	struct buf line = { 0 };

	if (json)
		tally_json(&m->tally, &line);
	else
		tally_describe(&m->tally, &m->inv->hosts, &line);
	if (json && output_buf(STDOUT_FILENO, &line) != 0)
		m->failed = true;
	else if (!json && line.len > 0)
		notice("%s", buf_str(&line));
	buf_free(&line);
}

enum outcome
report_many_end(struct report_many *m)
{
	enum outcome outcome = OUTCOME_NO;
	size_t i, n = m->inv->hosts.n;

	if (m->kept != NULL && m->tally.fates != NULL) {
		if (invocation_has(m->inv, OPT_GATHER))
			show_gathered(m);
		else if (invocation_has(m->inv, OPT_ORDERED))
			show_rest(m);
		if (is_merged(m->inv) &&
			report_merged(m->inv, m->kept, n, STDOUT_FILENO) != 0)
			m->failed = true;
		sum_up(m);
		outcome = tally_outcome(&m->tally);
	}
	for (i = 0; m->kept != NULL && i < n; i++)
		answer_free(&m->kept[i]);
	free(m->kept);
	tally_free(&m->tally);
	if (m->misfits > 0 && m->fitting == 0 && outcome == OUTCOME_NO)
		return OUTCOME_USAGE;
	return m->failed && outcome == OUTCOME_DONE ? OUTCOME_NO : outcome;
}
