#include "config/config_outline.h"
#include "trust/admit.h"
#include "trust/admit_input.h"
#include "trust/enrol_ssh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define A "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define B "SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA"

static const struct admit good = { .key = A, .name = "anna", .allow = "list" };

static void
assert_check(const struct admit *a, bool valid)
{
	struct buf error = { 0 };

	assert_int_equal(admit_check(a, &error), valid ? 0 : -1);
	assert_int_equal(error.len == 0, valid);
	buf_free(&error);
}

static void
names_are_checked(void **state)
{
	static const char *const valid[] = { "a", "Anna-2.x_y",
		"abcdefghijklmnopqrstuvwxyz012345", NULL };
	static const char *const wrong[] = { "", "1a", ".a", "-a", "a/b", "a b",
		"a\nb", "a\"", "\303\244", "abcdefghijklmnopqrstuvwxyz0123456",
		NULL };
	struct admit a = good;
	size_t i;

	(void)state;
	for (i = 0; (a.name = valid[i]) != NULL; i++)
		assert_check(&a, true);
	for (i = 0; (a.name = wrong[i]) != NULL; i++)
		assert_check(&a, false);
	assert_check(&a, false);
}

static void
no_value_breaks_the_syntax(void **state)
{
	static const size_t offsets[] = { offsetof(struct admit, key),
		offsetof(struct admit, name), offsetof(struct admit, allow),
		offsetof(struct admit, from), offsetof(struct admit, until),
		offsetof(struct admit, listen) };
	static const char *const wrong[] = { "\"", "x\"; y", "a\nb", "a\\", "(",
		"a b#", "", NULL };
	struct admit a;
	const char **member;
	size_t i, j;

	(void)state;
	assert_check(&good, true);
	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
		for (j = 0; wrong[j] != NULL; j++) {
			a = good;
			member = (void *)((char *)&a + offsets[i]);
			*member = wrong[j];
			assert_check(&a, false);
		}
}

static void
only_a_new_key_may_lack_the_verbs(void **state)
{
	struct admit a = good;

	(void)state;
	a.allow = NULL;
	for (a.mode = ADMIT_ENTRY; a.mode <= ADMIT_REPLACE; a.mode++)
		assert_check(&a,
			a.mode == ADMIT_ADD_KEY || a.mode == ADMIT_DROP_OLD);
}

static void
an_admission_is_read_as_it_was_written(void **state)
{
	struct admit sent = { .key = A,
		.name = "anna",
		.allow = "list,kill",
		.until = "2027-01-31 18:00",
		.listen = "[::]:7075",
		.mode = ADMIT_REPLACE,
		.dry_run = true };
	struct admit got = { 0 };
	struct buf text = { 0 }, error = { 0 };

	(void)state;
	admit_input_format(&sent, &text);
	buf_str(&text);
	assert_int_equal(admit_input_parse(&got, text.data, &error), 0);
	assert_string_equal(got.key, A);
	assert_string_equal(got.name, "anna");
	assert_string_equal(got.allow, "list,kill");
	assert_null(got.from);
	assert_string_equal(got.until, "2027-01-31 18:00");
	assert_string_equal(got.listen, "[::]:7075");
	assert_int_equal(got.mode, ADMIT_REPLACE);
	assert_true(got.dry_run);
	buf_free(&text);
	buf_free(&error);
}

static void
no_part_of_an_admission_is_enough(void **state)
{
	struct buf whole = { 0 }, error = { 0 };
	struct admit got;
	char *part;
	size_t len;

	(void)state;
	admit_input_format(&good, &whole);
	for (len = 0; len < whole.len; len++) {
		part = strndup(buf_str(&whole), len);
		assert_int_equal(admit_input_parse(&got, part, &error), -1);
		assert_true(error.len > 0);
		buf_reset(&error);
		free(part);
	}
	buf_free(&whole);
	buf_free(&error);
}

static void
a_key_is_found_among_keys(void **state)
{
	(void)state;
	assert_true(config_outline_has_key(A, A));
	assert_true(config_outline_has_key(A "," B, A));
	assert_true(config_outline_has_key(A "," B, B));
	assert_false(config_outline_has_key(A, B));
	assert_false(config_outline_has_key("-", A));
	assert_false(config_outline_has_key("", A));
	assert_false(config_outline_has_key(A "x", A));
}

static void
via_needs_a_host(void **state)
{
	static const char *const valid[] = { "x %h", "ssh -J a %h",
		"x user@%h %%", NULL };
	static const char *const wrong[] = { "", "ssh", "ssh %%h", "ssh %",
		"ssh %u %h", NULL };
	struct buf error = { 0 };
	size_t i;

	(void)state;
	for (i = 0; valid[i] != NULL; i++)
		assert_int_equal(enrol_ssh_check_via(valid[i], &error), 0);
	assert_int_equal(error.len, 0);
	for (i = 0; wrong[i] != NULL; i++)
		assert_int_equal(enrol_ssh_check_via(wrong[i], &error), -1);
	buf_free(&error);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_checked),
		cmocka_unit_test(no_value_breaks_the_syntax),
		cmocka_unit_test(only_a_new_key_may_lack_the_verbs),
		cmocka_unit_test(an_admission_is_read_as_it_was_written),
		cmocka_unit_test(no_part_of_an_admission_is_enough),
		cmocka_unit_test(a_key_is_found_among_keys),
		cmocka_unit_test(via_needs_a_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
