#include "fanout/live_screen.h"

#include "fanout/group_equal.h"
#include "fanout/host_names.h"
#include "fanout/merge_results.h"
#include "fanout/summary.h"
#include "text.h"
#include "util/message.h"
#include "util/write_out.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define ROWS_DEFAULT 24
/* maximum number of lines with problems, so that the table stays visible */
#define PROBLEMS_MAX 5

#define GO_HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"
#define WRAP_OFF "\033[?7l"
#define WRAP_ON "\033[?7h"

/*
 * Append the time and a summary of all hosts. Set *outcome to the combined
 * outcome of all hosts.
 */
static void
add_heading(const struct invocation *inv, const struct result *answers,
	enum outcome *outcome, struct buf *out)
{
	time_t now = time(NULL);
	struct buf sum = { 0 };
	struct summary summary;
	char text[16];
	struct tm tm;
	size_t i;

	localtime_r(&now, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	buf_addf(out, "%s  bridlectl %s, every %u s", text, inv->command->name,
		inv->watch);
	if (summary_begin(&summary, inv->hosts.n) == 0) {
		for (i = 0; i < inv->hosts.n; i++)
			if (answers[i].host != NULL)
				summary_add(&summary, &answers[i]);
		summary_describe(&summary, &inv->hosts, &sum);
		*outcome = summary_outcome(&summary);
	}
	if (sum.len > 0)
		buf_adds(out, ", ");
	text_safe(out, buf_str(&sum), sum.len);
	if (summary.total < inv->hosts.n)
		buf_addf(out, ", %zu awaited", inv->hosts.n - summary.total);
	buf_adds(out, "\n\n");
	summary_free(&summary);
	buf_free(&sum);
}

/*
 * Append the names of the hosts in the group, and the first line of their
 * common problem.
 */
static void
add_problem(const struct hosts *hosts, const struct equal_group *group,
	struct result *first, struct buf *out)
{
	const char *why = buf_str(&first->problem);
	struct buf line = { 0 };

	if (*why == '\0' && first->reply.said != NULL)
		why = first->reply.said;
	host_names_add(hosts, group->indexes, group->n, &line);
	buf_addf(&line, ": %.*s", (int)strcspn(why, "\n"), why);
	text_safe(out, buf_str(&line), line.len);
	buf_addc(out, '\n');
	buf_free(&line);
}

/*
 * Append the problems of all hosts. Hosts with the same problem share a line.
 * Append at most PROBLEMS_MAX problems.
 */
static void
add_problems(
	const struct invocation *inv, struct result *answers, struct buf *out)
{
	struct result *bad = calloc(inv->hosts.n, sizeof(bad[0]));
	struct equal_groups groups = { 0 };
	size_t i;

	for (i = 0; bad != NULL && i < inv->hosts.n; i++)
		if (answers[i].host != NULL &&
			result_kind_is_failure(answers[i].result_kind))
			bad[i] = answers[i];
	if (bad != NULL)
		equal_groups_make(&groups, bad, inv->hosts.n);
	for (i = 0; i < groups.n && i < PROBLEMS_MAX; i++)
		add_problem(&inv->hosts, &groups.groups[i],
			&answers[groups.groups[i].indexes[0]], out);
	if (groups.n > PROBLEMS_MAX)
		buf_addf(out, "(and %zu other problems)\n",
			groups.n - PROBLEMS_MAX);
	equal_groups_free(&groups);
	free(bad);
}

/*
 * Append a separate table for each host. Trees and a single host need this
 * form. Return 0, or -1 after printing a message.
 */
static int
add_each_table(const struct table_output *o, const struct result *answers)
{
	size_t i;

	for (i = 0; i < o->inv->hosts.n; i++) {
		if (answers[i].reply.table.nrows == 0)
			continue;
		if (o->inv->several)
			buf_addf(o->screen, "%s:\n", answers[i].host->label);
		if (table_output_show(o, &answers[i].reply.table) != 0)
			return -1;
	}
	return 0;
}

/*
 * Draw the text over the previous text on the screen. Lines that do not fit the
 * terminal are left out. Return 0, or -1 if the output could not be written.
 */
static int
paint(const char *text)
{
	struct buf out = { 0 };
	struct winsize size;
	size_t rows, len;
	int result;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
		size.ws_row = ROWS_DEFAULT;
	buf_adds(&out, WRAP_OFF GO_HOME);
	for (rows = size.ws_row - 1u; rows > 0 && *text != '\0'; rows--) {
		len = strcspn(text, "\n");
		buf_add(&out, text, len);
		buf_adds(&out, CLEAR_LINE "\n");
		text += len + (text[len] == '\n');
	}
	buf_adds(&out, CLEAR_BELOW WRAP_ON);
	result = write_out_buf(STDOUT_FILENO, &out);
	buf_free(&out);
	return result;
}

/*
 * Check that at least one host has a table with all columns that the options
 * name. Return 0, or -1 after printing a message.
 */
static int
check_columns(const struct invocation *inv, struct result *answers, bool merged)
{
	struct column_check check = { 0 };
	struct result *bad = NULL;
	size_t i;

	for (i = 0; i < inv->hosts.n; i++)
		if (!column_check_add(&check, inv, merged, &answers[i]))
			bad = &answers[i];
	if (!column_check_all_bad(&check))
		return 0;
	message_print("%s", buf_str(&bad->problem));
	return -1;
}

int
live_screen_show(const struct invocation *inv, struct result *answers,
	enum outcome *outcome)
{
	bool merged = inv->several && !invocation_has(inv, OPT_TREE);
	struct buf text = { 0 };
	const struct table_output output = { inv, STDOUT_FILENO, &text };
	int result;

	if (check_columns(inv, answers, merged) != 0)
		return -1;
	add_heading(inv, answers, outcome, &text);
	add_problems(inv, answers, &text);
	result = merged ? merge_results_show(&output, answers, inv->hosts.n)
			: add_each_table(&output, answers);
	if (result == 0)
		result = paint(buf_str(&text));
	buf_free(&text);
	return result;
}
