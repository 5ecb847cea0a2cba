#include "hosts/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
assert_host(enum target_kind kind, const char *text, const char *host,
	const char *port)
{
	struct buf error = { 0 };
	struct target t;

	assert_int_equal(target_parse(text, &t, &error), 0);
	assert_int_equal(error.len, 0);
	assert_int_equal(t.kind, kind);
	assert_string_equal(t.name, text);
	assert_string_equal(t.host, host);
	assert_string_equal(t.port, port);
	buf_free(&error);
}

static void
assert_plain(const char *text, const char *host, const char *port)
{
	assert_host(TARGET_PLAIN, text, host, port);
}

static void
assert_tls(const char *text, const char *host, const char *port)
{
	assert_host(TARGET_TLS, text, host, port);
}

/* Fail unless the text is refused with a message that contains `part`. */
static void
assert_refused(const char *text, const char *part)
{
	struct buf error = { 0 };
	struct target t;

	assert_int_equal(target_parse(text, &t, &error), -1);
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
	assert_int_equal(target_parse(TARGET_DEFAULT, &t, &error), 0);
	assert_int_equal(t.kind, TARGET_UNIX);
	assert_string_equal(t.host, RUNDIR "/bridle/bridled.sock");
	assert_string_equal(t.port, "");

	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "unix:", 5);
	longest[5 + 107] = '\0';
	assert_int_equal(target_parse(longest, &t, &error), 0);
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
	assert_plain("plain:web1", "web1", "7074");
	assert_plain("plain:web1:80", "web1", "80");
	assert_plain("plain:10.0.0.1:65535", "10.0.0.1", "65535");
	assert_plain("plain:[::1]", "::1", "7074");
	assert_plain("plain:[fe80::1%eth0]:7075", "fe80::1%eth0", "7075");
}

static void
plain_mistakes(void **state)
{
	char name[TARGET_NAME_MAX + 7] = "plain:";

	(void)state;
	assert_refused("plain:", "names no host");
	assert_refused("plain..", "is no host");
	assert_refused("UNIX.:7075", "is no host");
	assert_refused("plain::7074", "names no host");
	assert_refused("plain:[]", "names no host");
	assert_refused("plain:[::1", "[ADDRESS]");
	assert_refused("plain:[::1]7074", "[ADDRESS]");
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
tls_names(void **state)
{
	(void)state;
	assert_tls("web1", "web1", "7075");
	assert_tls("web1:80", "web1", "80");
	assert_tls("web1:0080", "web1", "80");
	assert_tls("10.0.0.1", "10.0.0.1", "7075");
	assert_tls("[::1]", "::1", "7075");
	assert_tls("[::1]:7000", "::1", "7000");
	assert_tls("[fe80::1%eth0]", "fe80::1%eth0", "7075");
	/*
	 * "tls" is not a transport, so "tls" is read as a host and "web1" as
	 * its port.
	 */
	assert_refused("tls:web1", "port");
}

static void
tls_mistakes(void **state)
{
	(void)state;
	assert_refused("", "names no host");
	assert_refused(":7075", "names no host");
	assert_refused("::1", "such as [::1]:7075");
	assert_refused("web1:", "port");
	assert_refused("/run/bridle/bridled.sock", "unix:PATH");
	assert_refused("web 1", "is no host");
	assert_refused("web1#x", "is no host");
	assert_refused("web1\n", "is no host");
	assert_refused("w\xc3\xa9", "is no host");
	assert_refused("-web", "dash");
	assert_refused("[a b]", "is no host");
	assert_refused("plain", "is no host");
	assert_refused("Unix", "is no host");
	assert_refused("plain:plain", "is no host");
	assert_refused("plain:web 1", "is no host");
}

static void
assert_address(const char *text, const char *address)
{
	struct buf out = { 0 };
	struct target t;

	assert_int_equal(target_parse(text, &t, &out), 0);
	target_address(&t, &out);
	assert_string_equal(buf_str(&out), address);
	buf_free(&out);
}

static void
addresses(void **state)
{
	(void)state;
	assert_address("Web1.Example.ORG", "web1.example.org:7075");
	assert_address("plain:web1", "web1:7074");
	assert_address("web1.:80", "web1:80");
	assert_address("web1..", "web1:7075");
	assert_address(".", ".:7075");
	assert_address("10.0.0.1:80", "10.0.0.1:80");
	assert_address("[FE80::A%Eth0]:7075", "[fe80::a%Eth0]:7075");
}

/*
 * Test that a list or a pattern is refused as a target. The caller splits lists
 * before it parses targets.
 */
static void
several(void **state)
{
	(void)state;
	assert_refused("@all", "is no host");
	assert_refused("ssh://lab7", "a URL; use only the host, such as lab7");
	assert_refused("http://lab7:80/x", "such as lab7 or plain:lab7");
	assert_refused("plain:a,plain:b", "is no host");
	assert_refused("a,b", "is no host");
	assert_refused("node[01-32]", "is no host");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unix_paths),
		cmocka_unit_test(plain_names),
		cmocka_unit_test(plain_mistakes),
		cmocka_unit_test(tls_names),
		cmocka_unit_test(tls_mistakes),
		cmocka_unit_test(addresses),
		cmocka_unit_test(several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
