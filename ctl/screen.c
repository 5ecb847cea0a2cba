#include "screen.h"

#include "gather.h"
#include "merge.h"
#include "notice.h"
#include "output.h"
#include "shape.h"
#include "table.h"
#include "tally.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define ROWS_DEFAULT 24
#define PROBLEMS_MAX 5 /* lines, lest they hide the table */

#define GO_HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"
#define WRAP_OFF "\033[?7l"
#define WRAP_ON "\033[?7h"

/* The time, and what the hosts come to. */
static void
add_heading(const struct invocation *inv, const struct answer *answers,
	enum outcome *outcome, struct buf *out)
{
	time_t now = time(NULL);
	struct buf sum = { 0 };
	struct tally tally;
	char text[16];
	struct tm tm;
	size_t i;

	localtime_r(&now, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	buf_addf(out, "%s  bridlectl %s, every %u s", text, inv->command->name,
		inv->watch);
	if (tally_begin(&tally, inv->hosts.n) == 0) {
		for (i = 0; i < inv->hosts.n; i++)
			if (answers[i].host != NULL)
				tally_add(&tally, &answers[i]);
		tally_describe(&tally, &inv->hosts, &sum);
		*outcome = tally_outcome(&tally);
	}
	if (sum.len > 0)
		buf_adds(out, ", ");
	text_safe(out, buf_str(&sum), sum.len);
	if (tally.total < inv->hosts.n)
		buf_addf(out, ", %zu awaited", inv->hosts.n - tally.total);
	buf_adds(out, "\n\n");
	tally_free(&tally);
	buf_free(&sum);
}

/* Why there is nothing to be seen of these. */
static void
add_problem(const struct answer *a, const char *label, struct buf *out)
{
	size_t len = a->problem.len;
	const char *end;

	text_safe(out, label, strlen(label));
	buf_adds(out, ": ");
	if (len > 0) {
		/* The first line of it, which says what is wrong. */
		if ((end = memchr(a->problem.data, '\n', len)) != NULL)
			len = (size_t)(end - a->problem.data);
		text_safe(out, a->problem.data, len);
	} else if (a->reply.said != NULL) {
		text_safe(out, a->reply.said, strlen(a->reply.said));
	}
	buf_addc(out, '\n');
}

/* Those that have the same are one line, and there are only so many. */
static void
add_problems(const struct invocation *inv, const struct answer *answers,
	struct buf *out)
{
	struct answer *bad = calloc(inv->hosts.n, sizeof(bad[0]));
	struct gather groups = { 0 };
	char *label;
	size_t i;

	for (i = 0; bad != NULL && i < inv->hosts.n; i++)
		if (answers[i].host != NULL && fate_is_failure(answers[i].fate))
			bad[i] = answers[i];
	if (bad != NULL && gather_make(&groups, bad, inv->hosts.n) == 0) {
		for (i = 0; i < groups.n && i < PROBLEMS_MAX; i++) {
			if ((label = gather_label(&groups.groups[i], bad)))
				add_problem(&bad[groups.groups[i].indexes[0]],
					label, out);
			free(label);
		}
		if (groups.n > PROBLEMS_MAX)
			buf_addf(out, "(and %zu other problems)\n",
				groups.n - PROBLEMS_MAX);
	}
	gather_free(&groups);
	free(bad);
}

static int
add_table(const struct invocation *inv, const struct reply *r, struct buf *out)
{
	struct buf error = { 0 };
	struct view view = { 0 };
	int result = -1;

	if (r->ncolumns == 0)
		return 0;
	if (shape(inv, r, &view, &error) != 0)
		notice("%s", buf_str(&error));
	else
		result = table_format(r, &view, STDOUT_FILENO, out);
	view_free(&view);
	buf_free(&error);
	return result;
}

/* Hosts of another version may have other columns: a table for each kind. */
static int
add_merged(const struct invocation *inv, const struct answer *answers,
	struct buf *out)
{
	struct reply merged = { 0 };
	const struct answer *a;
	int result = 0;
	size_t i;

	for (i = 0; i < inv->hosts.n && result == 0; i++) {
		a = &answers[i];
		if (a->reply.nrows == 0)
			continue;
		if (!merge_fits(&merged, &a->reply)) {
			result = add_table(inv, &merged, out);
			reply_free(&merged);
		}
		/* What is too much is far more than a screen has lines. */
		if (merge_fits(&merged, &a->reply) &&
			merge_add(&merged, a->host->label, &a->reply) != 0)
			break;
	}
	if (result == 0)
		result = add_table(inv, &merged, out);
	reply_free(&merged);
	return result;
}

/* Trees stand for themselves, and so does the only host. */
static int
add_alone(const struct invocation *inv, const struct answer *answers,
	struct buf *out)
{
	size_t i;

	for (i = 0; i < inv->hosts.n; i++) {
		if (answers[i].reply.nrows == 0)
			continue;
		if (inv->several)
			buf_addf(out, "%s:\n", answers[i].host->label);
		if (add_table(inv, &answers[i].reply, out) != 0)
			return -1;
	}
	return 0;
}

/* So many lines as there are on the terminal, over those of before. */
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
	result = output_buf(STDOUT_FILENO, &out);
	buf_free(&out);
	return result;
}

/*
 * A table that has not the columns that were asked for is its host's own
 * failure. -1 after a message if it is everybody's: the column was mistyped.
 */
static int
fit_shape(const struct invocation *inv, struct answer *answers, bool alone)
{
	size_t i, fitting = 0, misfits = 0;
	struct buf error = { 0 };

	for (i = 0; i < inv->hosts.n; i++) {
		if (answers[i].reply.ncolumns == 0)
			continue;
		buf_reset(&error);
		if (shape_check(inv, &answers[i].reply, !alone, &error) == 0) {
			fitting++;
			continue;
		}
		misfits++;
		answer_fail(&answers[i], FATE_FAILED, buf_str(&error));
	}
	if (fitting == 0 && misfits > 0)
		notice("%s", buf_str(&error));
	buf_free(&error);
	return fitting == 0 && misfits > 0 ? -1 : 0;
}

int
screen_show(const struct invocation *inv, struct answer *answers,
	enum outcome *outcome)
{
	bool alone = invocation_has(inv, OPT_TREE) || !inv->several;
	struct buf text = { 0 };
	int result;

	if (fit_shape(inv, answers, alone) != 0)
		return -1;
	add_heading(inv, answers, outcome, &text);
	add_problems(inv, answers, &text);
	result = alone ? add_alone(inv, answers, &text)
		       : add_merged(inv, answers, &text);
	if (result == 0)
		result = paint(buf_str(&text));
	buf_free(&text);
	return result;
}
