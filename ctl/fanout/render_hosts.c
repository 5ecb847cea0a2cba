#include "fanout/render_hosts.h"

#include "fanout/group_equal.h"
#include "fanout/host_names.h"
#include "output/command_output.h"
#include "output/pong.h"
#include "output/render.h"
#include "output/table_print.h"
#include "output/view_options.h"
#include "util/message.h"
#include "util/write_out.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
has_table(const struct request *r)
{
	return r->explain || verb_by_number(r->verb)->columns != NULL;
}

/*
 * True if the command is `ping`. Return false for `wait` and `wake`, which send
 * pings too.
 */
static bool
is_ping(const struct invocation *inv)
{
	return inv->request.verb == VERB_PING && !inv->request.explain &&
	       !invocation_waits(inv) && !invocation_wakes(inv);
}

/* True if the rows of all hosts go into one table that is shown at the end. */
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

/*
 * Print the output of a command. If `group` is true, the result is for a group
 * of hosts. Then print the group's label above the output. Otherwise print the
 * host's label before each line. Return 0, or -1 if the output could not be
 * written.
 */
static int
print_output(const struct result *a, bool group)
{
	if (group && render_line("%s:", a->host->label) != 0)
		return -1;
	return command_output_lines(&a->reply, group ? NULL : a->host->label);
}

static int
print_merged(
	const struct invocation *inv, const struct result *results, size_t n)
{
	const struct table_output output = { inv, STDOUT_FILENO, NULL };

	return merge_results_show(&output, results, n);
}

/*
 * Print one result: its rows, its output or its successful status. Do not print
 * a table that the caller merges. Return 0, or -1 if the output could not be
 * written.
 */
static int
print_alone(const struct invocation *inv, struct result *a,
	const struct view *v, bool group)
{
	const struct reply *r = &a->reply;
	const char *label = a->host->label;
	bool rows = has_table(&inv->request) && v->nrows > 0;

	if (invocation_has(inv, OPT_JSON))
		return render_json(label, r, v,
			a->problem.len ? buf_str(&a->problem) : NULL,
			result_kind_keys[a->result_kind]);
	if (invocation_has(inv, OPT_RAW))
		return print_merged(inv, a, 1);
	if (rows && (render_line("%s:", label) != 0 ||
			    table_print(v, STDOUT_FILENO) != 0))
		return -1;
	if (r->chunked && print_output(a, group) != 0)
		return -1;
	if (a->result_kind != RESULT_OK || a->problem.len > 0 || r->chunked)
		return 0;
	if (is_ping(inv))
		return pong_print(label, r, group ? -1 : a->microseconds);
	if (rows && inv->request.verb != VERB_KILL)
		return 0;
	return render_line("%s: %s", label, r->said);
}

/*
 * Print on stderr the messages of the worker. If the result is not successful,
 * print the reason too.
 */
static void
complain(struct render_hosts *m, struct result *a)
{
	fputs(buf_str(&a->notices), stderr);
	/*
	 * Print no reason here, because the summary lists the hosts with these
	 * two kinds of result.
	 */
	if (a->result_kind == RESULT_NOT_ASKED ||
		a->result_kind == RESULT_NO_MATCH)
		return;
	if (a->problem.len > 0)
		message_lines(a->host->label, buf_str(&a->problem));
	else
		render_status(m->inv, a->host, &a->reply, &m->hinted);
}

/*
 * Show a result. If `group` is true, the result stands for a group of hosts
 * with equal results. Then the label of its host has the names of all hosts in
 * the group.
 */
static void
show(struct render_hosts *m, struct result *a, bool group)
{
	struct buf error = { 0 };
	struct view view = { 0 };

	/* After a failed write, write no more results to stdout. */
	if (!is_merged(m->inv) && !m->failed)
		m->failed = view_options_apply(m->inv, &a->reply.table, &view,
				    &error) != 0 ||
			    print_alone(m->inv, a, &view, group) != 0;
	complain(m, a);
	view_free(&view);
	buf_free(&error);
}

static void
show_gathered(struct render_hosts *m)
{
	struct equal_groups groups;
	const struct equal_group *group;
	struct buf label = { 0 };
	struct result *first;
	struct host as;
	size_t i;

	if (equal_groups_make(&groups, m->kept, m->inv->hosts.n) != 0) {
		message_print("out of memory");
		m->failed = true;
	}
	for (i = 0; i < groups.n; i++) {
		group = &groups.groups[i];
		first = &m->kept[group->indexes[0]];
		as = *first->host;
		buf_reset(&label);
		host_names_add(
			&m->inv->hosts, group->indexes, group->n, &label);
		buf_addc(&label, '\0');
		if (!label.failed)
			as.label = label.data;
		first->host = &as;
		show(m, first, true);
	}
	buf_free(&label);
	equal_groups_free(&groups);
}

/*
 * For --ordered, show results in the order of the hosts. Stop at the first host
 * without a result. If `all` is true, skip such hosts instead.
 */
static void
show_next(struct render_hosts *m, bool all)
{
	struct result *a;

	for (; m->next < m->inv->hosts.n; m->next++) {
		a = &m->kept[m->next];
		if (a->host == NULL && !all)
			return;
		if (a->host != NULL)
			show(m, a, false);
		if (!is_merged(m->inv))
			result_free(a);
	}
}

/* True if bridlectl shows the text of a successful status for this request. */
static bool
has_text(const struct request *r)
{
	return !r->explain &&
	       (r->verb == VERB_KILL || r->verb == VERB_HALT ||
		       r->verb == VERB_CANCEL || r->verb == VERB_SAY);
}

static enum outcome
print_only(const struct invocation *inv, struct result *a, const struct view *v)
{
	const struct reply *r = &a->reply;
	enum outcome outcome;

	if (a->problem.len > 0)
		return render_failure(inv, a->host, r, v, buf_str(&a->problem));
	outcome = render_reply(inv, a->host, r, v, has_text(&inv->request));
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (inv->request.explain)
		return outcome_of_code(reply_explained(r));
	return is_ping(inv) && render_is_text(inv) &&
			       pong_print(a->host->label, r, a->microseconds) !=
				       0
		       ? OUTCOME_NO
		       : OUTCOME_DONE;
}

/* Show the result of a single host, without the host's label. */
static void
show_only(struct render_hosts *m, struct result *a)
{
	const struct request *r = &m->inv->request;
	struct buf error = { 0 };
	struct view view = { 0 };

	/*
	 * Drop an incomplete list, because the user could think that the list
	 * is complete.
	 */
	if (a->problem.len > 0 && (r->verb == VERB_LIST || r->explain))
		reply_free(&a->reply);
	if (view_options_apply(m->inv, &a->reply.table, &view, &error) == 0) {
		m->outcome = print_only(m->inv, a, &view);
	} else {
		message_print("%s", buf_str(&error));
		m->outcome = OUTCOME_USAGE;
	}
	view_free(&view);
	buf_free(&error);
}

int
render_hosts_begin(struct render_hosts *m, const struct invocation *inv)
{
	memset(m, 0, sizeof(*m));
	m->inv = inv;
	m->outcome = OUTCOME_NO;
	if (!inv->several)
		return 0;
	m->kept = calloc(inv->hosts.n + 1, sizeof(m->kept[0]));
	if (m->kept != NULL && summary_begin(&m->summary, inv->hosts.n) == 0)
		return 0;
	message_print("out of memory");
	return -1;
}

void
render_hosts_take(void *taker, struct result *a)
{
	struct render_hosts *m = taker;
	const struct invocation *inv = m->inv;
	bool ordered = invocation_has(inv, OPT_ORDERED);
	bool gather = invocation_has(inv, OPT_GATHER);

	if (!inv->several) {
		show_only(m, a);
		return;
	}
	column_check_add(&m->columns, inv, is_merged(inv), a);
	summary_add(&m->summary, a);
	if (!ordered && !gather)
		show(m, a, false);
	if (!ordered && !gather && !is_merged(inv))
		return;
	m->kept[a->index] = *a;
	memset(a, 0, sizeof(*a));
	if (ordered && !gather)
		show_next(m, false);
}

static void
sum_up(struct render_hosts *m)
{
	bool json = invocation_has(m->inv, OPT_JSON);
	struct buf line = { 0 };

	if (json)
		summary_json(&m->summary, &line);
	else
		summary_describe(&m->summary, &m->inv->hosts, &line);
	if (json && write_out_buf(STDOUT_FILENO, &line) != 0)
		m->failed = true;
	else if (!json && line.len > 0)
		message_print("%s", buf_str(&line));
	buf_free(&line);
}

enum outcome
render_hosts_end(struct render_hosts *m)
{
	size_t i, n = m->inv->hosts.n;

	if (m->kept != NULL && m->summary.fates != NULL) {
		if (invocation_has(m->inv, OPT_GATHER))
			show_gathered(m);
		else if (invocation_has(m->inv, OPT_ORDERED))
			show_next(m, true);
		if (is_merged(m->inv) && print_merged(m->inv, m->kept, n) != 0)
			m->failed = true;
		sum_up(m);
		m->outcome = summary_outcome(&m->summary);
	}
	for (i = 0; m->kept != NULL && i < n; i++)
		result_free(&m->kept[i]);
	free(m->kept);
	summary_free(&m->summary);
	if (column_check_all_bad(&m->columns) && m->outcome == OUTCOME_NO)
		return OUTCOME_USAGE;
	return m->failed && m->outcome == OUTCOME_DONE ? OUTCOME_NO
						       : m->outcome;
}
