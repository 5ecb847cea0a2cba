#include "targets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
assert_plain(const char *text, const char *host, const char *port)
{
	struct buf error = { 0 };
	struct target t;

	assert_int_equal(targets_parse(text, &t, &error), 0);
	assert_int_equal(error.len, 0);
	assert_int_equal(t.kind, TARGET_PLAIN);
	assert_string_equal(t.name, text);
	assert_string_equal(t.host, host);
	assert_string_equal(t.port, port);
	buf_free(&error);
}

/* The sentence must hold `part`. */
static void
assert_refused(const char *text, const char *part)
{
	struct buf error = { 0 };
	struct target t;

	assert_int_equal(targets_parse(text, &t, &error), -1);
	assert_non_null(strstr(buf_str(&error), part));
	buf_free(&error);
}

static void
unix_paths(void **state)
{
	struct buf error = { 0 };
	char longest[6 + 108], longer[6 + 109];
	struct target t;

	(void)state;
	assert_int_equal(targets_parse(TARGET_DEFAULT, &t, &error), 0);
	assert_int_equal(t.kind, TARGET_UNIX);
	assert_string_equal(t.host, RUNDIR "/bridle/bridled.sock");
	assert_string_equal(t.port, "");

	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "unix:", 5);
	longest[5 + 107] = '\0';
	assert_int_equal(targets_parse(longest, &t, &error), 0);
	memset(longer, 'a', sizeof(longer));
	memcpy(longer, "unix:", 5);
	longer[5 + 108] = '\0';
	assert_refused(longer, "too long");
	assert_refused("unix:", "names no host");
	buf_free(&error);
}

static void
plain_names(void **state)
{
	(void)state;
	assert_plain("plain:web1", "web1", "7070");
	assert_plain("plain:web1:80", "web1", "80");
	assert_plain("plain:10.0.0.1:65535", "10.0.0.1", "65535");
	assert_plain("plain:[::1]", "::1", "7070");
	assert_plain("plain:[fe80::1%eth0]:7071", "fe80::1%eth0", "7071");
}

static void
plain_mistakes(void **state)
{
	char name[TARGET_NAME_MAX + 7] = "plain:";

	(void)state;
	assert_refused("plain:", "names no host");
	assert_refused("plain::7070", "names no host");
	assert_refused("plain:[]", "names no host");
	assert_refused("plain:[::1", "[ADDRESS]");
	assert_refused("plain:[::1]7070", "[ADDRESS]");
	assert_refused("plain:::1", "brackets");
	assert_refused("plain:web1:", "port");
	assert_refused("plain:web1:0", "port");
	assert_refused("plain:web1:65536", "port");
	assert_refused("plain:web1:http", "port");
	assert_refused("plain:web1:0000007070", "port");
	assert_refused("plain:web1:+70", "port");
	memset(name + 6, 'a', TARGET_NAME_MAX);
	name[6 + TARGET_NAME_MAX] = '\0';
	assert_refused(name, "too long");
}

static void
not_yet(void **state)
{
	(void)state;
	assert_refused("web1", "TLS");
	assert_refused("web1:7071", "TLS");
	assert_refused("", "TLS");
	assert_refused("@all", "one host");
	assert_refused("plain:a,plain:b", "one host");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unix_paths),
		cmocka_unit_test(plain_names),
		cmocka_unit_test(plain_mistakes),
		cmocka_unit_test(not_yet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
