/* Tests of patterns: which texts match, and the limits of time and memory. */
#include "config/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static enum pattern_result
match(const char *expression, const char *text, unsigned *steps)
{
	struct buf why = { 0 };
	struct pattern *p = pattern_compile(expression, &why);
	enum pattern_result result;

	if (p == NULL)
		fail_msg("%s: %s", expression, buf_str(&why));
	result = pattern_match(p, text, steps);
	pattern_free(p);
	buf_free(&why);
	return result;
}

/* Test patterns in the syntax of regex(7), which must match the whole text. */
static void
test_matches(void **state)
{
	static const struct {
		const char *expression, *text;
		bool good;
	} rows[] = { { "a|ab", "ab", true }, { "a|b", "ab", false },
		{ "nginx", "nginx\n", false }, { "nginx$", "nginx\n", false },
		{ ".", "\n", true }, { "[]a]+", "]a", true },
		{ "[[:digit:]]{2,3}", "12", true }, { "[\\\\]", "\\", true },
		{ "\\w+", "a_1", true }, { "[.]", "x", false },
		{ "", "", true }, { "\xc3\xa4.", "\xc3\xa4\xff", true } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned steps = PATTERN_STEPS;
		bool good = match(rows[i].expression, rows[i].text, &steps) ==
			    PATTERN_MATCHES;

		if (good != rows[i].good)
			fail_msg("%s: %s", rows[i].expression, rows[i].text);
	}
}

/*
 * Test that an ordinary pattern uses only a few of the PATTERN_STEPS steps that
 * a request has.
 */
static void
test_ordinary(void **state)
{
	static const char *const rows[][2] = {
		{ "(([0-9]{1,3}\\.){3}[0-9]{1,3},?)*",
			"10.20.30.40,10.20.30.41,10.20.30.42,10.20.30.43" },
		{ "[a-z0-9-]+(\\.[a-z0-9-]+)*", "www.a-long-name.example.org" },
		{ "(/[A-Za-z0-9_-]+)+", "/usr/share/doc/bridle/examples" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned steps = PATTERN_STEPS;

		assert_int_equal(
			match(rows[i][0], rows[i][1], &steps), PATTERN_MATCHES);
		assert_true(steps > PATTERN_STEPS - 200);
	}
}

/*
 * Test that an expensive match ends when the request has used all its steps.
 * Later matches of this request must fail too, because no steps are left.
 */
static void
test_bounded(void **state)
{
	static const char *const rows[] = { "(a*)*b", "(a|a?)+b", "(a*a*)*b",
		"([a-z]*,?){1,100}!", "(a?){64}(a){64}(a*)*b" };
	char text[257];
	size_t i;

	(void)state;
	memset(text, 'a', 256);
	text[256] = '\0';
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char more[sizeof(text) + 1];
		unsigned steps = PATTERN_STEPS;

		/*
		 * The text must end with the pattern's last letter. Otherwise
		 * PCRE2 rejects the text without searching.
		 */
		snprintf(more, sizeof(more), "%s%c", text,
			rows[i][strlen(rows[i]) - 1]);
		more[200] = '-';
		assert_int_equal(
			match(rows[i], more, &steps), PATTERN_UNDECIDED);
		assert_int_equal(steps, 0);
		assert_int_equal(match("a", "a", &steps), PATTERN_UNDECIDED);
	}
}

/*
 * Test that a step of a large compiled pattern counts as several steps. Each
 * step of the second expression takes a hundred times as long as a step of the
 * first.
 */
static void
test_large_code_weighs_more(void **state)
{
	static const struct {
		const char *expression;
		bool enough;
	} rows[] = { { "(a|b)*", true }, { "(x{30}|a|b){0,99}", false } };
	char text[65] = { 0 };
	size_t i;

	(void)state;
	memset(text, 'a', 64);
	for (i = 0; i < 2; i++) {
		unsigned steps = PATTERN_STEPS;

		assert_int_equal(match(rows[i].expression, text, &steps),
			rows[i].enough ? PATTERN_MATCHES : PATTERN_UNDECIDED);
	}
}

/*
 * Test that pattern_size() counts each copy of a group that a repetition makes.
 */
static void
test_size(void **state)
{
	struct buf why = { 0 };
	struct pattern *small = pattern_compile("[a-z]*", &why);
	struct pattern *large = pattern_compile("([a-z]*){1,400}", &why);

	(void)state;
	assert_non_null(small);
	assert_non_null(large);
	assert_true(pattern_size(small) < 256);
	assert_true(pattern_size(large) > PATTERN_SIZE_MAX);
	pattern_free(small);
	pattern_free(large);
	buf_free(&why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_matches),
		cmocka_unit_test(test_large_code_weighs_more),
		cmocka_unit_test(test_size), cmocka_unit_test(test_ordinary),
		cmocka_unit_test(test_bounded) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
