#include "table.h"

#include "notice.h"
#include "output.h"
#include "text.h"
#include "verbs.h"
#include "width.h"

#include <ctype.h>
#include <libsmartcols.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define WIDTH_DEFAULT 80

/* What is told apart by colour, and it is not much. */
static const struct {
	const char *column, *value, *color;
} colors[] = { { "outcome", "would-signal", "yellow" },
	{ "outcome", "denied", "red" }, { "outcome", "protected", "red" },
	{ "outcome", "survived", "red" }, { "verdict", "refused", "red" },
	{ "verdict", "allowed", "green" } };

static void
set_width(struct libscols_table *table, int fd)
{
	struct winsize size;

	if (!isatty(fd)) {
		scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
		return;
	}
	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		size.ws_col = WIDTH_DEFAULT;
	scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(table, size.ws_col);
}

static bool
wants_color(int fd)
{
	const char *no = getenv("NO_COLOR");

	return isatty(fd) && (no == NULL || *no == '\0');
}

/* The column that carries the branches of a tree: the name if it is shown. */
static size_t
tree_column(const struct reply *r, const struct view *v)
{
	size_t i;

	for (i = 0; i < v->ncolumns; i++)
		if (strcmp(r->columns[v->columns[i]], "name") == 0)
			return i;
	return v->ncolumns - 1;
}

/* Such a number is shown as a time. */
static bool
is_time(const char *column)
{
	return strcmp(column, "started") == 0 || strcmp(column, "since") == 0;
}

static int
add_columns(struct libscols_table *table, const struct reply *r,
	const struct view *v)
{
	size_t i, j, tree = v->parents ? tree_column(r, v) : v->ncolumns;
	char title[REPLY_NAME_MAX + 1];
	const char *name;
	int flags;

	for (i = 0; i < v->ncolumns; i++) {
		name = r->columns[v->columns[i]];
		for (j = 0; name[j] != '\0'; j++)
			title[j] = (char)toupper((unsigned char)name[j]);
		title[j] = '\0';
		flags = 0;
		if (verb_column_is_number(name) && !is_time(name))
			flags |= SCOLS_FL_RIGHT;
		/* The one that gives way when the terminal is too narrow:
		 * any other is short, or is what one asked for. */
		if (strcmp(name, "command") == 0)
			flags |= SCOLS_FL_TRUNC;
		if (i == tree)
			flags |= SCOLS_FL_TREE;
		if (scols_table_new_column(table, title, 0, flags) == NULL)
			return -1;
	}
	return 0;
}

/* Seconds since the epoch: the hour if it is today's, else the day. */
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
fill_line(struct libscols_line *line, const struct reply *r,
	const struct view *v, size_t row)
{
	struct buf value = { 0 }, shown = { 0 };
	time_t now = time(NULL);
	int result = 0;
	const char *name;
	size_t i;

	for (i = 0; i < v->ncolumns && result == 0; i++) {
		name = r->columns[v->columns[i]];
		reply_text(r, row, v->columns[i], &value);
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
add_lines(struct libscols_table *table, const struct reply *r,
	const struct view *v)
{
	struct libscols_line **lines = calloc(v->nrows, sizeof(lines[0]));
	int result = -1;
	size_t i;

	if (lines == NULL)
		return -1;
	for (i = 0; i < v->nrows; i++) {
		lines[i] = scols_table_new_line(table, NULL);
		if (lines[i] == NULL ||
			fill_line(lines[i], r, v, v->rows[i]) != 0)
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

/* Prints into memory, whence it is written in one go. -1: memory is short. */
static int
draw(const struct reply *r, const struct view *v, int fd, FILE *out)
{
	struct libscols_table *table;
	int result = -1;

	if ((table = scols_new_table()) == NULL)
		return -1;
	scols_table_set_stream(table, out);
	scols_table_enable_colors(table, wants_color(fd));
	/* It is safe already; a second encoding would spoil the first. */
	scols_table_enable_noencoding(table, 1);
	set_width(table, fd);
	if (add_columns(table, r, v) == 0 && add_lines(table, r, v) == 0 &&
		scols_print_table(table) == 0)
		result = 0;
	scols_unref_table(table);
	return result;
}

int
table_format(
	const struct reply *r, const struct view *v, int fd, struct buf *text)
{
	char *drawn = NULL;
	size_t len = 0;
	FILE *out;
	int result = -1;

	if (v->nrows == 0 || v->ncolumns == 0)
		return 0;
	width_locale();
	if ((out = open_memstream(&drawn, &len)) != NULL) {
		result = draw(r, v, fd, out);
		if (fclose(out) != 0)
			result = -1;
	}
	if (result == 0)
		buf_add(text, drawn, len);
	free(drawn);
	if (result == 0 && !text->failed)
		return 0;
	notice("no memory for the table");
	return -1;
}

int
table_print(const struct reply *r, const struct view *v, int fd)
{
	struct buf text = { 0 };
	int result = table_format(r, v, fd, &text);

	if (result == 0)
		result = output_buf(fd, &text);
	buf_free(&text);
	return result;
}
