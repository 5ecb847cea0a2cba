#include "fanout/result.h"

#include "fanout/group_equal.h"
#include "fanout/host_names.h"
#include "output/table_merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
take(struct reply *r, const char *const *lines)
{
	char *line;

	for (; *lines != NULL; lines++) {
		line = strdup(*lines);
		assert_int_not_equal(
			reply_line(r, line, strlen(line)), REPLY_BAD);
		free(line);
	}
}

static void
fill(struct result *a, enum result_kind result_kind, const char *problem,
	const char *const *lines)
{
	memset(a, 0, sizeof(*a));
	a->result_kind = result_kind;
	a->microseconds = 1234567890123;
	buf_adds(&a->problem, problem);
	take(&a->reply, lines);
}

static const char *const whole[] = { "1#100#pid#name", "1#100#7#a%23b",
	"1#100#8#", "1#200#two%0A#id=9#rule=x%25y", NULL };
static const char *const partly[] = { "1#100#pid#name", "1#100#7#a%23b", NULL };
static const char *const status[] = { "1#403#may not#id=9", NULL };
static const char *const nothing[] = { NULL };

static void
assert_same_table(const struct table *a, const struct table *b)
{
	struct buf x = { 0 }, y = { 0 };
	size_t row, column;

	assert_int_equal(a->ncolumns, b->ncolumns);
	assert_int_equal(a->nrows, b->nrows);
	for (column = 0; column < a->ncolumns; column++)
		assert_string_equal(a->columns[column], b->columns[column]);
	for (row = 0; row < a->nrows; row++)
		for (column = 0; column < a->ncolumns; column++)
			assert_string_equal(table_text(a, row, column, &x),
				table_text(b, row, column, &y));
	buf_free(&x);
	buf_free(&y);
}

static void
assert_same_reply(const struct reply *a, const struct reply *b)
{
	size_t i;

	assert_same_table(&a->table, &b->table);
	assert_int_equal(a->code, b->code);
	if (a->code != 0)
		assert_string_equal(a->said, b->said);
	assert_int_equal(a->npairs, b->npairs);
	for (i = 0; i < a->npairs; i++)
		assert_string_equal(
			a->pairs[i].value, reply_pair(b, a->pairs[i].key));
}

static void
test_it_comes_out_as_it_went_in(void **state)
{
	const struct {
		enum result_kind result_kind;
		const char *problem;
		const char *const *lines;
	} cases[] = { { RESULT_OK, "", whole }, { RESULT_REFUSED, "", status },
		{ RESULT_TIMED_OUT, "too late\nindeed", partly },
		{ RESULT_UNREACHED, "gone", nothing } };
	struct buf bytes = { 0 };
	struct result in, out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fill(&in, cases[i].result_kind, cases[i].problem,
			cases[i].lines);
		buf_adds(&in.notices, "bridlectl: x\n");
		result_pack(&in, &bytes);
		memset(&out, 0, sizeof(out));
		result_unpack(&out, bytes.data, bytes.len);
		assert_int_equal(out.result_kind, in.result_kind);
		assert_int_equal(out.microseconds, in.microseconds);
		assert_string_equal(buf_str(&out.problem), cases[i].problem);
		assert_string_equal(buf_str(&out.notices), "bridlectl: x\n");
		assert_same_reply(&in.reply, &out.reply);
		result_free(&in);
		result_free(&out);
		buf_free(&bytes);
	}
}

/*
 * Test that damaged output of a worker counts as a failure of the worker's
 * host.
 */
static void
test_what_is_cut_or_changed_is_a_failure(void **state)
{
	struct buf bytes = { 0 };
	struct result in, out;
	char *copy;
	size_t len;

	(void)state;
	fill(&in, RESULT_OK, "", whole);
	result_pack(&in, &bytes);
	for (len = 0; len < bytes.len; len++) {
		copy = malloc(len + 1);
		memcpy(copy, bytes.data, len);
		memset(&out, 0, sizeof(out));
		result_unpack(&out, copy, len);
		assert_int_equal(out.result_kind, RESULT_UNREACHED);
		assert_true(out.problem.len > 0);
		assert_int_equal(out.reply.table.nrows, 0);
		result_free(&out);
		memcpy(copy, bytes.data, len);
		memset(copy, 0xff, len < 48 ? len : 48);
		memset(&out, 0, sizeof(out));
		result_unpack(&out, copy, len);
		assert_int_equal(out.result_kind, RESULT_UNREACHED);
		result_free(&out);
		free(copy);
	}
	result_free(&in);
	buf_free(&bytes);
}

static void
test_fates_by_code(void **state)
{
	(void)state;
	assert_int_equal(result_kind_of(CODE_OK), RESULT_OK);
	assert_int_equal(result_kind_of(CODE_ACCEPTED), RESULT_OK);
	assert_int_equal(result_kind_of(CODE_NO_MATCH), RESULT_NO_MATCH);
	assert_int_equal(result_kind_of(CODE_NOT_ALLOWED), RESULT_REFUSED);
	assert_int_equal(result_kind_of(CODE_CONFLICT), RESULT_REFUSED);
	assert_int_equal(result_kind_of(CODE_PARTLY), RESULT_FAILED);
	assert_int_equal(result_kind_of(CODE_FAILED), RESULT_FAILED);
	assert_int_equal(result_kind_of(CODE_UNAVAILABLE), RESULT_UNREACHED);
	assert_int_equal(result_kind_of(599), RESULT_FAILED);
	assert_false(result_kind_is_failure(RESULT_OK));
	assert_false(result_kind_is_failure(RESULT_NO_MATCH));
	assert_true(result_kind_is_failure(RESULT_TIMED_OUT));
}

#define SEVERAL 6

static void
test_equal_ones_are_gathered(void **state)
{
	static const char *const another[] = { "1#100#pid#name",
		"1#100#7#a%23b", "1#100#8#", "1#200#two%0A#id=77#rule=x%25y",
		NULL };
	static const char *const shifted[] = { "1#100#pid#name",
		"1#100#7a#%23b", "1#100#8#", "1#200#two%0A#id=9#rule=x%25y",
		NULL };
	static struct host hosts[SEVERAL] = { { .label = "n1" },
		{ .label = "n2" }, { .label = "n3" }, { .label = "n4" },
		{ .label = "n5" }, { .label = "n6" } };
	struct result answers[SEVERAL];
	const struct hosts list = { .n = SEVERAL, .v = hosts };
	struct equal_groups g;
	struct buf label = { 0 };
	size_t i;

	(void)state;
	fill(&answers[0], RESULT_OK, "", whole);
	fill(&answers[1], RESULT_REFUSED, "", status);
	fill(&answers[2], RESULT_OK, "", another);
	fill(&answers[3], RESULT_OK, "", shifted);
	fill(&answers[4], RESULT_OK, "", nothing);
	fill(&answers[5], RESULT_OK, "", whole);
	for (i = 0; i < SEVERAL; i++)
		answers[i].host = i == 4 ? NULL : &hosts[i];
	assert_int_equal(equal_groups_make(&g, answers, SEVERAL), 0);
	assert_int_equal(g.n, 3);
	host_names_add(&list, g.groups[0].indexes, g.groups[0].n, &label);
	assert_string_equal(buf_str(&label), "n[1,3,6]");
	buf_reset(&label);
	host_names_add(&list, g.groups[1].indexes, g.groups[1].n, &label);
	assert_string_equal(buf_str(&label), "n2");
	buf_free(&label);
	assert_int_equal(g.groups[2].indexes[0], 3);
	equal_groups_free(&g);
	for (i = 0; i < SEVERAL; i++)
		result_free(&answers[i]);
}

static void
test_tables_merge_if_they_fit(void **state)
{
	static const char *const other[] = { "1#100#pid", "1#100#1",
		"1#200#done#id=1", NULL };
	static const char *const liar[] = { "1#100#host#pid", "1#100#n1#1",
		"1#200#done#id=1", NULL };
	struct table merged = { 0 };
	struct reply a = { 0 }, b = { 0 }, c = { 0 };
	struct buf text = { 0 };

	(void)state;
	take(&a, whole);
	take(&b, other);
	take(&c, liar);
	assert_false(table_merge_fits(&merged, &c.table));
	assert_true(table_merge_fits(&merged, &a.table));
	assert_int_equal(table_merge_add(&merged, "n#1", &a.table), 0);
	assert_int_equal(table_merge_add(&merged, "n2", &a.table), 0);
	assert_false(table_merge_fits(&merged, &b.table));
	assert_int_equal(merged.nrows, 4);
	assert_string_equal(merged.columns[0], "host");
	assert_string_equal(table_text(&merged, 0, 0, &text), "n#1");
	assert_string_equal(table_text(&merged, 2, 0, &text), "n2");
	assert_string_equal(table_text(&merged, 2, 2, &text), "a#b");
	buf_free(&text);
	table_free(&merged);
	reply_free(&a);
	reply_free(&b);
	reply_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_comes_out_as_it_went_in),
		cmocka_unit_test(test_what_is_cut_or_changed_is_a_failure),
		cmocka_unit_test(test_fates_by_code),
		cmocka_unit_test(test_equal_ones_are_gathered),
		cmocka_unit_test(test_tables_merge_if_they_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
