#include "output/table_print.h"

#include "text.h"
#include "util/message.h"
#include "util/text_width.h"
#include "util/write_out.h"
#include "verbs.h"

#include <ctype.h>
#include <libsmartcols.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The cells that are shown in colour, by their column and value. */
static const struct {
	const char *column, *value, *color;
} colors[] = { { "outcome", "would-signal", "yellow" },
	{ "outcome", "denied", "red" }, { "outcome", "protected", "red" },
	{ "outcome", "survived", "red" }, { "verdict", "refused", "red" },
	{ "verdict", "allowed", "green" } };

static void
set_width(struct libscols_table *table, int fd)
{
	if (!isatty(fd)) {
		scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
		return;
	}
	scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(table, text_width_terminal(fd));
}

static bool
wants_color(int fd)
{
	const char *no = getenv("NO_COLOR");

	return isatty(fd) && (no == NULL || *no == '\0');
}

/*
 * Return the index of the column that shows the tree: "name", or the last
 * column if "name" is missing.
 */
static size_t
tree_column(const struct view *v)
{
	size_t i;

	for (i = 0; i < v->ncolumns; i++)
		if (strcmp(view_column(v, i), "name") == 0)
			return i;
	return v->ncolumns - 1;
}

/* True if the numbers in this column are seconds that are shown as a time. */
static bool
is_time(const char *column)
{
	return strcmp(column, "started") == 0 || strcmp(column, "since") == 0;
}

static int
add_columns(struct libscols_table *table, const struct view *v)
{
	size_t i, j, tree = v->parents ? tree_column(v) : v->ncolumns;
	char title[TABLE_NAME_MAX + 1];
	const char *name;
	int flags;

	for (i = 0; i < v->ncolumns; i++) {
		name = view_column(v, i);
		for (j = 0; name[j] != '\0'; j++)
			title[j] = (char)toupper((unsigned char)name[j]);
		title[j] = '\0';
		flags = 0;
		if (verb_column_is_number(name) && !is_time(name))
			flags |= SCOLS_FL_RIGHT;
		/*
		 * On a narrow terminal, shorten only the column "command".
		 * Other columns are short, or the user has selected them.
		 */
		if (strcmp(name, "command") == 0)
			flags |= SCOLS_FL_TRUNC;
		if (i == tree)
			flags |= SCOLS_FL_TREE;
		if (scols_table_new_column(table, title, 0, flags) == NULL)
			return -1;
	}
	return 0;
}

/*
 * Append a time that is given in seconds since the epoch. If the time is today,
 * append the time of day. Otherwise append the date.
 */
static void
add_time(struct buf *out, const char *digits, time_t now)
{
	struct tm then, today;
	char text[32];
	long seconds;
	time_t t;

	if (text_number(digits, 0, INT32_MAX * 8L, &seconds) != 0) {
		text_safe(out, digits, strlen(digits));
		return;
	}
	t = (time_t)seconds;
	localtime_r(&t, &then);
	localtime_r(&now, &today);
	if (then.tm_year != today.tm_year)
		strftime(text, sizeof(text), "%Y-%m-%d", &then);
	else if (then.tm_yday != today.tm_yday)
		strftime(text, sizeof(text), "%b %e", &then);
	else
		strftime(text, sizeof(text), "%H:%M:%S", &then);
	buf_adds(out, text);
}

static void
set_color(struct libscols_line *line, size_t i, const char *column,
	const char *value)
{
	size_t n;

	for (n = 0; n < sizeof(colors) / sizeof(colors[0]); n++)
		if (strcmp(colors[n].column, column) == 0 &&
			strcmp(colors[n].value, value) == 0)
			scols_cell_set_color(
				scols_line_get_cell(line, i), colors[n].color);
}

static int
fill_line(struct libscols_line *line, const struct view *v, size_t row)
{
	struct buf value = { 0 }, shown = { 0 };
	time_t now = time(NULL);
	int result = 0;
	const char *name;
	size_t i;

	for (i = 0; i < v->ncolumns && result == 0; i++) {
		name = view_column(v, i);
		table_text(v->table, row, v->columns[i], &value);
		buf_reset(&shown);
		if (is_time(name))
			add_time(&shown, buf_str(&value), now);
		else
			text_safe(&shown, buf_str(&value), value.len);
		result = scols_line_set_data(line, i, buf_str(&shown));
		if (result == 0)
			set_color(line, i, name, buf_str(&value));
	}
	buf_free(&value);
	buf_free(&shown);
	return result == 0 ? 0 : -1;
}

static int
add_lines(struct libscols_table *table, const struct view *v)
{
	struct libscols_line **lines = calloc(v->nrows, sizeof(lines[0]));
	int result = -1;
	size_t i;

	if (lines == NULL)
		return -1;
	for (i = 0; i < v->nrows; i++) {
		lines[i] = scols_table_new_line(table, NULL);
		if (lines[i] == NULL || fill_line(lines[i], v, v->rows[i]) != 0)
			goto out;
	}
	for (i = 0; v->parents != NULL && i < v->nrows; i++)
		if (v->parents[i] != VIEW_ROOT &&
			scols_line_add_child(lines[v->parents[i]], lines[i]) !=
				0)
			goto out;
	result = 0;
out:
	free(lines);
	return result;
}

/*
 * Print the table to the stream `out`. The format depends on whether `fd` is a
 * terminal. Return 0, or -1 if no memory is available.
 */
static int
draw(const struct view *v, int fd, FILE *out)
{
	struct libscols_table *table;
	int result = -1;

	if ((table = scols_new_table()) == NULL)
		return -1;
	scols_table_set_stream(table, out);
	scols_table_enable_colors(table, wants_color(fd));
	/*
	 * text_safe() has escaped the cells already. libsmartcols must not
	 * escape the cells again.
	 */
	scols_table_enable_noencoding(table, 1);
	set_width(table, fd);
	if (add_columns(table, v) == 0 && add_lines(table, v) == 0 &&
		scols_print_table(table) == 0)
		result = 0;
	scols_unref_table(table);
	return result;
}

int
table_format(const struct view *v, int fd, struct buf *text)
{
	char *drawn = NULL;
	size_t len = 0;
	FILE *out;
	int result = -1;

	if (v->nrows == 0 || v->ncolumns == 0)
		return 0;
	text_width_locale();
	if ((out = open_memstream(&drawn, &len)) != NULL) {
		result = draw(v, fd, out);
		if (fclose(out) != 0)
			result = -1;
	}
	if (result == 0)
		buf_add(text, drawn, len);
	free(drawn);
	if (result == 0 && !text->failed)
		return 0;
	message_print("out of memory");
	return -1;
}

int
table_print(const struct view *v, int fd)
{
	struct buf text = { 0 };
	int result = table_format(v, fd, &text);

	if (result == 0)
		result = write_out_buf(fd, &text);
	buf_free(&text);
	return result;
}
