#include "listen_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
assert_format(const char *text, const char *expected)
{
	struct buf out = { 0 };

	assert_int_equal(listen_stream_format(text, &out), expected != NULL);
	assert_string_equal(buf_str(&out), expected != NULL ? expected : "");
	buf_free(&out);
}

static void
test_addresses_have_one_form(void **state)
{
	(void)state;
	assert_format("127.0.0.1:7074", "127.0.0.1:7074");
	assert_format("0.0.0.0:07075", "0.0.0.0:7075");
	assert_format("0.0.0.0:00007075", "0.0.0.0:7075");
	assert_format("[::]:7075", "[::]:7075");
	assert_format("[0:0::0]:7075", "[::]:7075");
	assert_format("7075", "[::]:7075");
	assert_format("[2001:DB8::1]:1", "[2001:db8::1]:1");
	assert_format("[fe80::1%eth0]:7075", "[fe80::1]:7075%eth0");
	assert_format("[fe80::1]:7075%eth0", "[fe80::1]:7075%eth0");
}

static void
test_what_is_no_address_is_refused(void **state)
{
	static const char long_host[] =
		"[1111111111111111111111111111111111111111111111111111111111"
		"1111111111]:1";
	static const char *const wrong[] = { "", "0", "65536", "host:7075",
		"127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:70710",
		"127.0.0.1:99999999999999999999", "127.0.0.1:7x", "[::]",
		"[::]7075", "[::", "[::]:7075%", "[127.0.0.1]:7075",
		"127.0.0.1:7075%eth0", "[fe80::1%a]:7075%b", "::1:7075",
		"[fe80::1%e/0]:7075", "[fe80::1%e 0]:7075", "/run/a", "@a",
		long_host };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_format(wrong[i], NULL);
}

static void
assert_escaped(const char *text, const char *expected)
{
	struct buf out = { 0 };

	unit_name_escape(text, &out);
	assert_string_equal(buf_str(&out), expected);
	buf_free(&out);
}

/*
 * Test the escaping of unit names. The expected texts are the output of
 * systemd-escape(1) of systemd 252.
 */
static void
test_names_are_escaped_like_systemd(void **state)
{
	(void)state;
	assert_escaped("[::]:7075", "\\x5b::\\x5d:7075");
	assert_escaped("0.0.0.0:7075", "0.0.0.0:7075");
	assert_escaped(
		"[fe80::1]:7075%eth-0", "\\x5bfe80::1\\x5d:7075\\x25eth\\x2d0");
	assert_escaped(".a/b", "\\x2ea-b");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_have_one_form),
		cmocka_unit_test(test_what_is_no_address_is_refused),
		cmocka_unit_test(test_names_are_escaped_like_systemd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
