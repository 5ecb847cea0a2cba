/* Tests of the parser of logind's replies, with real output of busctl(1). */
#include "action/logind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void
check_inhibitor(const char *text, int wanted, const char *said)
{
	struct buf out = { 0 };

	assert_int_equal(logind_inhibitor(text, &out), wanted);
	assert_string_equal(buf_str(&out), said);
	buf_free(&out);
}

static void
test_who_blocks_is_named(void **state)
{
	(void)state;
	check_inhibitor("a(ssssuu) 1 \"shutdown\" \"backup\" \"writing tapes\" "
			"\"block\" 1000 4711\n",
		1, "backup (uid 1000, pid 4711): writing tapes");
	check_inhibitor("a(ssssuu) 2 \"sleep:shutdown\" \"a\" \"b\" \"delay\" "
			"0 1 \"sleep:shutdown:idle\" \"c\" \"d\" \"block\" 2 3",
		1, "c (uid 2, pid 3): d");
}

static void
test_what_does_not_block_a_shutdown_is_none(void **state)
{
	(void)state;
	check_inhibitor("a(ssssuu) 0\n", 0, "");
	check_inhibitor(
		"a(ssssuu) 1 \"shutdown\" \"a\" \"b\" \"delay\" 0 1", 0, "");
	check_inhibitor(
		"a(ssssuu) 1 \"sleep\" \"a\" \"b\" \"block\" 0 1", 0, "");
	check_inhibitor("a(ssssuu) 1 \"shutdowns:sleep\" \"a\" \"b\" \"block\" "
			"0 1",
		0, "");
}

static void
test_a_suspend_has_its_own_inhibitors(void **state)
{
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(
		logind_sleep_inhibitor(
			"a(ssssuu) 2 \"shutdown\" \"a\" \"b\" \"block\" "
			"0 1 \"idle:sleep\" \"c\" \"d\" \"block\" 2 3",
			&out),
		1);
	assert_string_equal(buf_str(&out), "c (uid 2, pid 3): d");
	assert_int_equal(
		logind_sleep_inhibitor(
			"a(ssssuu) 1 \"sleep\" \"a\" \"b\" \"delay\" 0 1",
			&out),
		0);
	buf_free(&out);
}

static void
test_the_ability_to_suspend_is_read(void **state)
{
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(logind_cannot("s \"yes\"\n", &out), 0);
	assert_int_equal(logind_cannot("b true\n", &out), -1);
	assert_int_equal(logind_cannot("", &out), -1);
	assert_int_equal(logind_cannot("s yes", &out), -1);
	assert_string_equal(buf_str(&out), "");
	assert_int_equal(logind_cannot("s \"challenge\"\n", &out), 1);
	assert_string_equal(buf_str(&out), "challenge");
	buf_free(&out);
}

static void
test_names_may_hold_anything(void **state)
{
	(void)state;
	check_inhibitor("a(ssssuu) 1 \"shutdown\" \"a \\\"b\\\" \\303\\274\" "
			"\"c\\n\\\\ 1\" \"block\" 0 1",
		1, "a \"b\" \303\274 (uid 0, pid 1): c\n\\ 1");
}

static void
test_anything_else_is_not_understood(void **state)
{
	static const char *const texts[] = { "", "a(ssssuu)", "a(ssssuu) x",
		"a(ssssuu) 1", "a(ssssuu) 1 \"shutdown\" \"a\" \"b\" \"block\"",
		"a(ssssuu) 1 \"shutdown\" \"a\" \"b\" \"block\" 0",
		"a(ssssuu) 1 \"shutdown", "a(ssssuu) 1 \"shutdown\\",
		"(st) \"\" 0", "a(ssssuu) 99999999999999999999999",
		"Call failed: Access denied" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check_inhibitor(texts[i], -1, "");
}

static void
check_schedule(const char *text, int wanted, const char *said)
{
	struct buf out = { 0 };

	assert_int_equal(logind_schedule(text, &out), wanted);
	assert_string_equal(buf_str(&out), said);
	buf_free(&out);
}

static void
test_the_schedule_is_told_in_local_time(void **state)
{
	(void)state;
	setenv("TZ", "Etc/GMT-2", 1);
	tzset();
	check_schedule("(st) \"poweroff\" 1795300500000000\n", 1,
		"poweroff at 2026-11-22 00:35");
	check_schedule("(st) \"\" 0\n", 0, "");
	check_schedule("(st) \"\" 18446744073709551615\n", 0, "");
	check_schedule("(st) \"reboot\"", -1, "");
	check_schedule("Failed to get property", -1, "");
	check_schedule("", -1, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_blocks_is_named),
		cmocka_unit_test(test_what_does_not_block_a_shutdown_is_none),
		cmocka_unit_test(test_a_suspend_has_its_own_inhibitors),
		cmocka_unit_test(test_the_ability_to_suspend_is_read),
		cmocka_unit_test(test_names_may_hold_anything),
		cmocka_unit_test(test_anything_else_is_not_understood),
		cmocka_unit_test(test_the_schedule_is_told_in_local_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
