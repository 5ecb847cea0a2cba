#include "output/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
assert_json(const char *bytes, size_t len, const char *expected, bool all)
{
	struct buf out = { 0 };

	assert_int_equal(json_string(&out, bytes, len), all);
	assert_string_equal(buf_str(&out), expected);
	buf_free(&out);
}

#define ASSERT_JSON(bytes, expected, all) \
	assert_json(bytes, sizeof(bytes) - 1, expected, all)

static void
strings(void **state)
{
	(void)state;
	ASSERT_JSON("", "\"\"", true);
	ASSERT_JSON("a\"b\\c/", "\"a\\\"b\\\\c/\"", true);
	ASSERT_JSON("\x01\t\n\x1b\x7f",
		"\"\\u0001\\u0009\\u000a\\u001b\\u007f\"", true);
	ASSERT_JSON("日本", "\"日本\"", true);
	ASSERT_JSON("\0", "\"\\u0000\"", true);
	/*
	 * a C1 control, a line separator, a right-to-left override, and a
	 * zero-width character
	 */
	ASSERT_JSON("\xc2\x9b", "\"\\u009b\"", true);
	ASSERT_JSON("\xe2\x80\xa8", "\"\\u2028\"", true);
	ASSERT_JSON("\xe2\x80\xae", "\"\\u202e\"", true);
	ASSERT_JSON("\xe2\x80\x8b", "\"\\u200b\"", true);
	/*
	 * characters above U+FFFF: a tag character, which is escaped, and a
	 * harmless character
	 */
	ASSERT_JSON("\xf3\xa0\x80\x81", "\"\\udb40\\udc01\"", true);
	ASSERT_JSON("\xf0\x9f\x90\xb4", "\"\xf0\x9f\x90\xb4\"", true);
	/*
	 * invalid UTF-8: stray bytes, an overlong form, a surrogate, and a
	 * truncated character
	 */
	ASSERT_JSON("a\xff"
		    "b",
		"\"a\xef\xbf\xbd"
		"b\"",
		false);
	ASSERT_JSON("\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"", false);
	ASSERT_JSON("\xe2\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\"", false);
}

static void
integers(void **state)
{
	(void)state;
	assert_true(json_is_integer("0"));
	assert_true(json_is_integer("10"));
	assert_true(json_is_integer("123456789012345678"));
	assert_false(json_is_integer("1234567890123456789"));
	assert_false(json_is_integer(""));
	assert_false(json_is_integer("-1"));
	assert_false(json_is_integer("007"));
	assert_false(json_is_integer("1.5"));
	assert_false(json_is_integer("1e9"));
	assert_false(json_is_integer(" 1"));
}

/* Fail unless the JSON form of a reply with these lines is `expected`. */
static void
assert_answer(const char *lines, const char *problem, const char *expected)
{
	struct reply r = { 0 };
	struct buf out = { 0 };
	struct view v;
	char *copy = strdup(lines), *at = copy;
	size_t len;

	assert_non_null(copy);
	for (; *at != '\0'; at += len + 1) {
		len = strcspn(at, "\n");
		assert_int_not_equal(reply_line(&r, at, len), REPLY_BAD);
	}
	assert_int_equal(view_all(&v, &r.table), 0);
	json_reply(&out, "h\"1", &r, &v, problem, NULL);
	assert_string_equal(buf_str(&out), expected);
	free(copy);
	view_free(&v);
	reply_free(&r);
	buf_free(&out);
}

static void
answers(void **state)
{
	(void)state;
	assert_answer("1#200#pong#version=0.1.0#id=7\n", NULL,
		"{\"host\":\"h\\\"1\",\"status\":200,\"text\":\"pong\","
		"\"version\":\"0.1.0\",\"id\":\"7\",\"records\":[]}\n");
	/*
	 * A cell becomes a JSON number if the column holds numbers and the text
	 * of the cell is a number.
	 */
	assert_answer("1#100#pid#name\n1#100#7#7\n1#100#x#%FFy%23\n"
		      "1#200#ok\n",
		NULL,
		"{\"host\":\"h\\\"1\",\"status\":200,\"text\":\"ok\","
		"\"records\":[{\"pid\":7,\"name\":\"7\"},"
		"{\"pid\":\"x\",\"name\":\"\xef\xbf\xbdy#\","
		"\"name_encoded\":\"%FFy%23\"}]}\n");
	assert_answer("1#100#pid\n1#100#1\n", "cut off",
		"{\"host\":\"h\\\"1\",\"status\":null,\"text\":\"cut off\","
		"\"records\":[{\"pid\":1}]}\n");
}

/* Test that text from a host cannot imitate members that bridlectl adds. */
static void
forged_members(void **state)
{
	(void)state;
	assert_answer("1#403#no#host=other#status=200#text=yes#records=1"
		      "#rule=r\n",
		NULL,
		"{\"host\":\"h\\\"1\",\"status\":403,\"text\":\"no\","
		"\"rule\":\"r\",\"records\":[]}\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings),
		cmocka_unit_test(integers),
		cmocka_unit_test(answers),
		cmocka_unit_test(forged_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
