#include "config/argv_template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static const struct argv_template_value values[] = { { "when", "+5" },
	{ "message", "two words; $(reboot)" }, { "empty", "" },
	{ "none", NULL }, { "nested", "{when}{none" }, { "whe", "short" },
	{ NULL, NULL } };

static void
test_expanding(void **state)
{
	static const struct {
		const char *template[5];
		const char *argv[5];
	} rows[] = {
		{ { NULL }, { NULL } },
		{ { "/bin/x", "-r", NULL }, { "/bin/x", "-r", NULL } },
		{ { "x", "{when}", NULL }, { "x", "+5", NULL } },
		{ { "x", "{message}", NULL },
			{ "x", "two words; $(reboot)", NULL } },
		{ { "x", "a{when}b{when}", NULL }, { "x", "a+5b+5", NULL } },
		{ { "x", "{when}{message}", NULL },
			{ "x", "+5two words; $(reboot)", NULL } },
		/*
		 * If an argument is only a placeholder, and the placeholder has
		 * no value, the argument is left out. An argument with an empty
		 * value remains, as an empty argument.
		 */
		{ { "x", "{empty}", "{none}", "y", NULL },
			{ "x", "", "y", NULL } },
		{ { "{none}", "x", NULL }, { "x", NULL } },
		{ { "{none}", NULL }, { NULL } },
		/*
		 * Placeholders with empty or absent values stand within other
		 * text. One argument is empty in the template.
		 */
		{ { "x", "{empty}{none}", "a{none}", "", NULL },
			{ "x", "", "a", "", NULL } },
		/* Placeholders within a value are not replaced. */
		{ { "x", "{nested}}", NULL }, { "x", "{when}{none}", NULL } },
		/*
		 * A placeholder is not mistaken for another placeholder whose
		 * name is longer or shorter.
		 */
		{ { "{whe}", "{when}", "{when", "{wh}", NULL },
			{ "short", "+5", "{when", "{wh}", NULL } },
		{ { "{", "}", "{}", "{{when}}", NULL },
			{ "{", "}", "{}", "{+5}", NULL } },
		{ { "{ when}", "{When}", "{unknown}", "when", NULL },
			{ "{ when}", "{When}", "{unknown}", "when", NULL } },
	};
	char **argv;
	size_t i, k;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		argv = argv_template_expand(
			(char *const *)(uintptr_t)rows[i].template, values);
		assert_non_null(argv);
		for (k = 0; rows[i].argv[k] != NULL; k++) {
			assert_non_null(argv[k]);
			assert_string_equal(argv[k], rows[i].argv[k]);
		}
		assert_null(argv[k]);
		argv_template_free(argv);
	}
	argv_template_free(NULL);
}

/* Test that the result shares no memory with the template or the values. */
static void
test_copies(void **state)
{
	char word[] = "word", value[] = "value";
	char *template[] = { word, NULL };
	struct argv_template_value one[] = { { "word", value },
		{ NULL, NULL } };
	char **argv = argv_template_expand(template, one);

	(void)state;
	memset(word, 'x', 4);
	assert_string_equal(argv[0], "word");
	argv_template_free(argv);
	strcpy(word, "{a}");
	one[0].name = "a";
	argv = argv_template_expand(template, one);
	memset(value, 'x', 5);
	assert_string_equal(argv[0], "value");
	argv_template_free(argv);
}

static void
test_printing(void **state)
{
	static const struct {
		const char *argv[4];
		const char *text;
	} rows[] = {
		{ { NULL }, "" },
		{ { "/sbin/shutdown", "-r", "now", NULL },
			"/sbin/shutdown -r now" },
		{ { "x", "", "two words", NULL }, "x '' 'two words'" },
		{ { "a\"b", "$HOME", "a\\b", NULL }, "'a\"b' '$HOME' 'a\\b'" },
		{ { "it's", NULL }, "'it'\\''s'" },
		{ { "a\tb", "c;d", "e|f&g", NULL }, "'a\tb' 'c;d' 'e|f&g'" },
		{ { "*", "~", "#x", NULL }, "'*' '~' '#x'" },
	};
	struct buf b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		buf_reset(&b);
		argv_template_print((char *const *)(uintptr_t)rows[i].argv, &b);
		assert_string_equal(buf_str(&b), rows[i].text);
	}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expanding),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_printing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
