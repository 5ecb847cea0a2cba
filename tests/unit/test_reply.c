#include "output/view.h"
#include "remote/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * Pass lines to reply_line() until a line ends the reply. Return the result of
 * the last line.
 */
static enum reply_state
feed(struct reply *r, const char *text)
{
	enum reply_state state = REPLY_MORE;
	char *line;
	size_t len;

	for (; *text != '\0' && state == REPLY_MORE; text += len + 1) {
		len = strcspn(text, "\n");
		/*
		 * Allocate the exact length, so that ASan detects a read beyond
		 * the end.
		 */
		line = malloc(len + 1);
		assert_non_null(line);
		memcpy(line, text, len);
		state = reply_line(r, line, len);
		free(line);
	}
	return state;
}

static void
assert_bad(const char *text, const char *part)
{
	struct reply r = { 0 };

	assert_int_equal(feed(&r, text), REPLY_BAD);
	assert_non_null(strstr(r.problem, part));
	reply_free(&r);
}

/*
 * Fail unless this column has the given cells, in the order of the rows. The
 * cells are separated by spaces.
 */
static void
assert_order(const struct reply *r, const struct view *v, const char *column,
	const char *expected)
{
	struct buf all = { 0 }, one = { 0 };
	size_t i;

	for (i = 0; i < v->nrows; i++)
		buf_addf(&all, "%s%s", i ? " " : "",
			table_text(&r->table, v->rows[i],
				(size_t)table_column(&r->table, column), &one));
	assert_string_equal(buf_str(&all), expected);
	buf_free(&all);
	buf_free(&one);
}

static void
whole_answer(void **state)
{
	struct reply r = { 0 };
	struct buf cell = { 0 };
	size_t len;

	(void)state;
	assert_int_equal(feed(&r, "1#100#pid#name\n"
				  "1#100#7#a%23b%25%1b\n"
				  "1#100##\xff\n"
				  "1#207#partly %41#id=9#rule=a.b=c\n"),
		REPLY_DONE);
	assert_int_equal(r.code, 207);
	assert_string_equal(r.said, "partly A");
	assert_string_equal(reply_pair(&r, "id"), "9");
	assert_string_equal(reply_pair(&r, "rule"), "a.b=c");
	assert_null(reply_pair(&r, "output"));
	assert_int_equal(r.table.nrows, 2);
	assert_int_equal(table_column(&r.table, "name"), 1);
	assert_int_equal(table_column(&r.table, "nam"), -1);
	assert_string_equal(table_text(&r.table, 0, 1, &cell), "a#b%\x1b");
	assert_memory_equal(
		table_cell(&r.table, 0, 1, &len), "a%23b%25%1b", 11);
	assert_int_equal(len, 11);
	assert_string_equal(table_text(&r.table, 1, 0, &cell), "");
	assert_string_equal(table_text(&r.table, 1, 1, &cell), "\xff");
	buf_free(&cell);
	reply_free(&r);
}

static void
status_alone(void **state)
{
	struct reply r = { 0 };

	(void)state;
	assert_int_equal(feed(&r, "1#404#nothing\n"), REPLY_DONE);
	assert_int_equal(r.table.ncolumns, 0);
	assert_int_equal(r.table.nrows, 0);
	/* A second status replaces the first status. */
	assert_int_equal(feed(&r, "1#200##id=2\n"), REPLY_DONE);
	assert_int_equal(r.code, 200);
	assert_string_equal(r.said, "");
	reply_free(&r);
}

static void
hostile_lines(void **state)
{
	(void)state;
	assert_bad("2#200#ok\n", "version 1");
	assert_bad("SSH-2.0-OpenSSH_9.2\n", "version 1");
	assert_bad("1#20#ok\n", "version 1");
	assert_bad("1#200\n", "version 1");
	assert_bad("1#101#1#4\n", "not requested");
	assert_bad("1#102#x\n", "not requested");
	assert_bad("1#100#Pid\n", "invalid name");
	assert_bad("1#100#\n", "invalid name");
	assert_bad("1#100#p%69d\n", "invalid name");
	assert_bad("1#100#pid#pid\n", "the same name");
	assert_bad("1#100#pid\n1#100#1#2\n", "wrong number of fields");
	assert_bad("1#100#pid#name\n1#100#1\n", "wrong number of fields");
	assert_bad("1#100#pid\n1#100#%\n", "badly encoded");
	assert_bad("1#100#pid\n1#100#%4\n", "badly encoded");
	assert_bad("1#100#pid\n1#100#%GG\n", "badly encoded");
	assert_bad("1#100#pid\n1#100#%00\n", "badly encoded");
	assert_bad("1#100#pid\n1#100#\x1b[2J\n", "badly encoded");
	assert_bad("1#200#%zz\n", "badly encoded");
	assert_bad("1#200#ok#id\n", "malformed");
	assert_bad("1#200#ok#=x\n", "malformed");
	assert_bad("1#200#ok#id=1#id=2\n", "malformed");
	assert_bad("1#200#ok#ID=1\n", "malformed");
	assert_bad("1#200#ok#id=%0\n", "malformed");
}

/* Test that the status 200 of `run` must have the pair exit= or signal=. */
static void
end_of_a_command(void **state)
{
	static const char *const bad[] = { "1#200#ok\n", "1#200#ok#id=1\n",
		"1#200#ok#exit=\n", "1#200#ok#exit=256\n", "1#200#ok#exit=x\n",
		"1#200#ok#signal=\n", "1#200#ok#exit=0#signal=TERM\n" };
	static const char *const good[] = { "1#200#ok#exit=255\n",
		"1#200#ok#signal=TERM\n", "1#404#no\n", "1#500#no\n" };
	struct reply r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r = (struct reply){ .chunked = true };
		assert_int_equal(feed(&r, bad[i]), REPLY_BAD);
		assert_non_null(strstr(r.problem, "how the command ended"));
		assert_int_equal(r.code, 0);
		reply_free(&r);
	}
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		r = (struct reply){ .chunked = true };
		assert_int_equal(feed(&r, good[i]), REPLY_DONE);
		reply_free(&r);
	}
}

static void
pipelined(void **state)
{
	struct reply r = { 0 };
	struct buf cell = { 0 };

	(void)state;
	assert_int_equal(
		feed(&r, "1#100#pid\n1#100#1\n1#200#a#id=1\n"), REPLY_DONE);
	reply_next(&r);
	assert_int_equal(r.code, 0);
	assert_int_equal(
		feed(&r, "1#100#pid\n1#100#2\n1#404#b#id=2\n"), REPLY_DONE);
	assert_int_equal(r.table.nrows, 2);
	assert_string_equal(table_text(&r.table, 1, 0, &cell), "2");
	assert_string_equal(reply_pair(&r, "id"), "2");
	assert_int_equal(reply_conclude(&r, 207, "both", "1,2"), 0);
	assert_int_equal(r.code, 207);
	assert_string_equal(r.said, "both");
	assert_string_equal(reply_pair(&r, "id"), "1,2");
	reply_next(&r);
	assert_int_equal(feed(&r, "1#100#pod\n"), REPLY_BAD);
	assert_non_null(strstr(r.problem, "differ"));
	buf_free(&cell);
	reply_free(&r);
}

static void
many_rows(void **state)
{
	struct reply r = { 0 };
	struct buf cell = { 0 };
	char line[64];
	int i, len;

	(void)state;
	assert_int_equal(feed(&r, "1#100#pid#name\n"), REPLY_MORE);
	for (i = 0; i < 10000; i++) {
		len = snprintf(line, sizeof(line), "1#100#%d#x", i);
		assert_int_equal(reply_line(&r, line, (size_t)len), REPLY_MORE);
	}
	assert_int_equal(r.table.nrows, 10000);
	assert_string_equal(table_text(&r.table, 9999, 0, &cell), "9999");
	buf_free(&cell);
	reply_free(&r);
}

/*
 * Test that the memory of a table is limited, because short lines can hold many
 * empty cells.
 */
static void
too_much(void **state)
{
	enum reply_state result = REPLY_MORE;
	struct reply r = { 0 };
	char columns[] = "1#100#a#b#c#d#e#f#g#h#i#j#k#l#m#n#o#p#q#r#s#t";
	char row[] = "1#100####################";
	size_t i, most = TABLE_SIZE_MAX / (20 * sizeof(struct table_cell));

	(void)state;
	assert_int_equal(
		reply_line(&r, columns, sizeof(columns) - 1), REPLY_MORE);
	for (i = 0; i <= most && result == REPLY_MORE; i++)
		result = reply_line(&r, row, sizeof(row) - 1);
	assert_int_equal(result, REPLY_BAD);
	assert_non_null(strstr(r.problem, "too large"));
	reply_free(&r);
}

/*
 * Test that the limit of a table counts the memory for storing rows and for
 * showing rows.
 */
static void
too_many_rows(void **state)
{
	enum reply_state result = REPLY_MORE;
	struct reply r = { 0 };
	char columns[] = "1#100#a", row[] = "1#100#";
	size_t i, most = TABLE_SIZE_MAX / 128;

	(void)state;
	assert_int_equal(
		reply_line(&r, columns, sizeof(columns) - 1), REPLY_MORE);
	for (i = 0; i <= most && result == REPLY_MORE; i++)
		result = reply_line(&r, row, sizeof(row) - 1);
	assert_int_equal(result, REPLY_BAD);
	assert_non_null(strstr(r.problem, "too large"));
	reply_free(&r);
}

#define LIST                                                \
	"1#100#pid#ppid#user\n1#100#10#1#b\n1#100#9#10#a\n" \
	"1#100#1#0#c\n1#100#100#9#a\n1#200#ok\n"

static void
sorting(void **state)
{
	struct reply r = { 0 };
	struct buf error = { 0 };
	struct view v;

	(void)state;
	assert_int_equal(feed(&r, LIST), REPLY_DONE);
	assert_int_equal(view_all(&v, &r.table), 0);
	assert_order(&r, &v, "pid", "10 9 1 100");
	assert_int_equal(view_sort(&v, "pid", &error), 0);
	assert_order(&r, &v, "pid", "1 9 10 100");
	assert_int_equal(view_sort(&v, "-pid", &error), 0);
	assert_order(&r, &v, "pid", "100 10 9 1");
	/*
	 * Rows with the same value in the sort column keep their order, in
	 * ascending and in descending sorts.
	 */
	assert_int_equal(view_sort(&v, "user:desc", &error), 0);
	assert_order(&r, &v, "pid", "1 10 9 100");
	assert_int_equal(view_sort(&v, "user:asc", &error), 0);
	assert_order(&r, &v, "pid", "9 100 10 1");
	assert_int_equal(error.len, 0);
	assert_int_equal(view_sort(&v, "size", &error), -1);
	assert_string_equal(buf_str(&error),
		"there is no column 'size'; the columns are pid, ppid, user");
	assert_int_equal(view_sort(&v, "pid:up", &error), -1);
	assert_int_equal(view_sort(&v, "", &error), -1);
	assert_int_equal(view_sort(&v, "-", &error), -1);
	view_free(&v);
	buf_free(&error);
	reply_free(&r);
}

static void
selecting(void **state)
{
	struct reply r = { 0 };
	struct buf error = { 0 };
	struct view v;

	(void)state;
	assert_int_equal(feed(&r, LIST), REPLY_DONE);
	assert_int_equal(view_all(&v, &r.table), 0);
	assert_int_equal(view_select(&v, "user,pid", &error), 0);
	assert_int_equal(v.ncolumns, 2);
	assert_int_equal(v.columns[0], 2);
	assert_int_equal(v.columns[1], 0);
	view_hide(&v, "user");
	assert_int_equal(v.ncolumns, 1);
	assert_int_equal(v.columns[0], 0);
	view_hide(&v, "nothing");
	assert_int_equal(v.ncolumns, 1);
	assert_int_equal(view_select(&v, "pid,pid", &error), -1);
	assert_int_equal(view_select(&v, "pid,", &error), -1);
	assert_int_equal(view_select(&v, "", &error), -1);
	view_free(&v);
	buf_free(&error);
	reply_free(&r);
}

/* Fail unless each row reaches a root in at most VIEW_DEPTH_MAX steps. */
static void
assert_forest(const struct view *v)
{
	size_t i, at, steps;

	for (i = 0; i < v->nrows; i++) {
		steps = 0;
		for (at = i; at != VIEW_ROOT; at = v->parents[at]) {
			assert_true(at < v->nrows);
			assert_true(++steps <= VIEW_DEPTH_MAX);
		}
	}
}

static void
trees(void **state)
{
	struct reply r = { 0 };
	struct buf error = { 0 };
	struct view v;

	(void)state;
	assert_int_equal(feed(&r, LIST), REPLY_DONE);
	assert_int_equal(view_all(&v, &r.table), 0);
	assert_int_equal(view_tree(&v, &error), 0);
	assert_int_equal(v.parents[0], 2);
	assert_int_equal(v.parents[1], 0);
	assert_int_equal(v.parents[2], VIEW_ROOT);
	assert_int_equal(v.parents[3], 1);
	view_free(&v);
	reply_free(&r);
	buf_free(&error);
}

static void
trees_of_lies(void **state)
{
	struct reply r = { 0 };
	struct buf error = { 0 };
	struct view v;

	(void)state;
	/*
	 * rows whose parents form rings of one, two and three rows; a row below
	 * a ring; rows without a valid parent
	 */
	assert_int_equal(feed(&r, "1#100#pid#ppid\n1#100#1#1\n1#100#2#3\n"
				  "1#100#3#2\n1#100#4#5\n1#100#5#6\n"
				  "1#100#6#4\n1#100#7#6\n1#100#8#99\n"
				  "1#100#x#-1\n1#100##\n1#100#1#2\n"
				  "1#200#ok\n"),
		REPLY_DONE);
	assert_int_equal(view_all(&v, &r.table), 0);
	assert_int_equal(view_tree(&v, &error), 0);
	assert_forest(&v);
	assert_int_equal(v.parents[6], 5);
	assert_int_equal(v.parents[7], VIEW_ROOT);
	view_free(&v);
	reply_free(&r);

	assert_int_equal(feed(&r, "1#100#pid\n1#200#ok\n"), REPLY_DONE);
	assert_int_equal(view_all(&v, &r.table), 0);
	assert_int_equal(view_tree(&v, &error), -1);
	view_free(&v);
	reply_free(&r);
	buf_free(&error);
}

static void
deep_tree(void **state)
{
	struct reply r = { 0 };
	struct buf error = { 0 };
	struct view v;
	char line[64];
	int i, len;

	(void)state;
	assert_int_equal(feed(&r, "1#100#pid#ppid\n"), REPLY_MORE);
	/*
	 * Put the deepest row first, so that the way from this row to the root
	 * visits all rows.
	 */
	for (i = 50000; i > 0; i--) {
		len = snprintf(line, sizeof(line), "1#100#%d#%d", i, i - 1);
		assert_int_equal(reply_line(&r, line, (size_t)len), REPLY_MORE);
	}
	assert_int_equal(view_all(&v, &r.table), 0);
	assert_int_equal(view_tree(&v, &error), 0);
	assert_forest(&v);
	view_free(&v);
	reply_free(&r);
	buf_free(&error);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_answer),
		cmocka_unit_test(status_alone),
		cmocka_unit_test(hostile_lines),
		cmocka_unit_test(end_of_a_command),
		cmocka_unit_test(pipelined),
		cmocka_unit_test(many_rows),
		cmocka_unit_test(too_much),
		cmocka_unit_test(too_many_rows),
		cmocka_unit_test(sorting),
		cmocka_unit_test(selecting),
		cmocka_unit_test(trees),
		cmocka_unit_test(trees_of_lies),
		cmocka_unit_test(deep_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
