#include "hosts/local_host.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static bool
is_own(const char *text)
{
	struct buf error = { 0 };
	struct target t;

	assert_int_equal(target_parse(text, &t, &error), 0);
	buf_free(&error);
	return local_host_matches(&t);
}

static void
test_however_it_is_written(void **state)
{
	(void)state;
	assert_true(is_own("unix:/run/bridle/bridled.sock"));
	assert_true(is_own("localhost"));
	assert_true(is_own("LocalHost.:7075"));
	assert_true(is_own("ip6-localhost"));
	assert_true(is_own("127.0.0.1"));
	assert_true(is_own("plain:127.0.0.2:7074"));
	assert_true(is_own("127.1"));
	assert_true(is_own("[::1]"));
	assert_true(is_own("[0:0:0:0:0:0:0:1]:7075"));
	assert_true(is_own("[::ffff:127.0.0.1]"));
}

static void
test_by_its_own_name(void **state)
{
	char name[HOST_NAME_MAX + 1] = "", longer[2 * HOST_NAME_MAX];

	(void)state;
	assert_int_equal(gethostname(name, sizeof(name) - 1), 0);
	assert_true(is_own(name));
	snprintf(longer, sizeof(longer), "%s.example.org", name);
	assert_true(is_own(longer));
	snprintf(longer, sizeof(longer), "%sx", name);
	assert_false(is_own(longer));
}

static void
test_others(void **state)
{
	(void)state;
	assert_false(is_own("192.0.2.1"));
	assert_false(is_own("[2001:db8::1]"));
	assert_false(is_own("localhostess"));
	assert_false(is_own("web1.example.org"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_however_it_is_written),
		cmocka_unit_test(test_by_its_own_name),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
