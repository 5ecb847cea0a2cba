#include "action/user_cache.h"

#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static void
test_names(void **state)
{
	struct user_cache user_cache = { 0 };
	struct passwd *pw;
	char name[64];

	(void)state;
	assert_string_equal(user_cache_name(&user_cache, 0), "root");
	/* If no user has this uid, the name is the uid as a decimal number. */
	assert_null(getpwuid(4294900000u));
	assert_string_equal(
		user_cache_name(&user_cache, 4294900000u), "4294900000");
	if ((pw = getpwuid(geteuid())) != NULL) {
		snprintf(name, sizeof(name), "%s", pw->pw_name);
		assert_string_equal(
			user_cache_name(&user_cache, geteuid()), name);
	}
	user_cache_free(&user_cache);
	assert_int_equal(user_cache.n, 0);
	assert_null(user_cache.v);
	user_cache_free(&user_cache);
}

/* Test that a returned name stays valid when many more names are looked up. */
static void
test_names_stay(void **state)
{
	enum { MANY = 500 };
	const char *names[MANY];
	struct user_cache user_cache = { 0 };
	char number[16];
	unsigned i;

	(void)state;
	for (i = 0; i < MANY; i++)
		names[i] =
			user_cache_name(&user_cache, (uid_t)(4000000000u + i));
	for (i = 0; i < MANY; i++) {
		snprintf(number, sizeof(number), "%u", 4000000000u + i);
		assert_string_equal(names[i], number);
		assert_ptr_equal(
			user_cache_name(&user_cache, (uid_t)(4000000000u + i)),
			names[i]);
	}
	assert_int_equal(user_cache.n, MANY);
	user_cache_free(&user_cache);
}

static void
test_uids(void **state)
{
	static const struct {
		const char *name;
		int result;
		uid_t uid;
	} rows[] = { { "root", 0, 0 }, { "0", 0, 0 }, { "1000", 0, 1000 },
		{ "4294967294", 0, 4294967294u }, { "4294967295", -1, 0 },
		{ "4294967296", -1, 0 }, { "-1", -1, 0 }, { "-0", -1, 0 },
		{ "+0", -1, 0 }, { " 0", -1, 0 }, { "0 ", -1, 0 },
		{ "0x0", -1, 0 }, { "", -1, 0 }, { "no such user", -1, 0 },
		{ "18446744073709551616", -1, 0 } };
	uid_t uid;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		uid = 4711;
		if (user_cache_uid(rows[i].name, &uid) != rows[i].result)
			fail_msg("\"%s\"", rows[i].name);
		assert_int_equal(uid, rows[i].result == 0 ? rows[i].uid : 4711);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_names_stay),
		cmocka_unit_test(test_uids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
