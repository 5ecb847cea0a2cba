#include "screen.h"

#include "merge.h"
#include "notice.h"
#include "output.h"
#include "shape.h"
#include "table.h"
#include "tally.h"
#include "text.h"

#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define ROWS_DEFAULT 24

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
	buf_adds(out, "\n\n");
	tally_free(&tally);
	buf_free(&sum);
}

/* Why there is nothing to be seen of one. */
static void
add_problem(struct answer *a, struct buf *out)
{
	const char *why = "";

	if (a->fate == FATE_OK || a->fate == FATE_NO_MATCH)
		return;
	if (a->problem.len > 0)
		why = buf_str(&a->problem);
	else if (a->reply.said != NULL)
		why = a->reply.said;
	text_safe(out, a->host->label, strlen(a->host->label));
	buf_adds(out, ": ");
	text_safe(out, why, strcspn(why, "\n"));
	buf_addc(out, '\n');
}

static int
add_table(const struct invocation *inv, const struct reply *r, struct buf *out)
{
	struct buf error = { 0 };
	struct view view = { 0 };
	int result = -1;

	if (shape(inv, r, &view, &error) != 0)
		notice("%s", buf_str(&error));
	else
		result = table_format(r, &view, STDOUT_FILENO, out);
	view_free(&view);
	buf_free(&error);
	return result;
}

static int
add_merged(const struct invocation *inv, const struct answer *answers,
	struct buf *out)
{
	struct reply merged = { 0 };
	const struct answer *a;
	int result = 0;
	size_t i;

	for (i = 0; i < inv->hosts.n; i++) {
		a = &answers[i];
		/* What is too much is far more than a screen has lines. */
		if (a->reply.nrows > 0 && merge_fits(&merged, &a->reply) &&
			merge_add(&merged, a->host->label, &a->reply) != 0)
			break;
	}
	if (merged.ncolumns > 0)
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
	result = output_write(STDOUT_FILENO, buf_str(&out), out.len);
	buf_free(&out);
	return result;
}

int
screen_show(const struct invocation *inv, struct answer *answers,
	enum outcome *outcome)
{
	bool alone = invocation_has(inv, OPT_TREE) || !inv->several;
	struct buf text = { 0 };
	int result;
	size_t i;

	add_heading(inv, answers, outcome, &text);
	for (i = 0; i < inv->hosts.n; i++)
		if (answers[i].host != NULL)
			add_problem(&answers[i], &text);
	result = alone ? add_alone(inv, answers, &text)
		       : add_merged(inv, answers, &text);
	if (result == 0)
		result = paint(buf_str(&text));
	buf_free(&text);
	return result;
}
