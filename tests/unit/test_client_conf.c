#include "hosts/client_conf.h"
#include "hosts/host.h"
#include "hosts/host_expand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PIN "SHA256:HphDfan8Oc2/bvr88aUMgkVwAMh2fhx6fGC9ICcO5Yc"

static struct client_conf
read_texts(const char *first, const char *second)
{
	struct client_conf c = { 0 };
	struct buf error = { 0 };

	assert_int_equal(
		client_conf_read_text(&c, first, "one.conf", &error), 0);
	if (second != NULL)
		assert_int_equal(
			client_conf_read_text(&c, second, "two.conf", &error),
			0);
	assert_string_equal(buf_str(&error), "");
	buf_free(&error);
	return c;
}

/* Fail unless the text is refused with a message that contains `part`. */
static void
assert_refused(const char *text, const char *part)
{
	struct client_conf c = { 0 };
	struct buf error = { 0 };

	assert_int_equal(
		client_conf_read_text(&c, text, "one.conf", &error), -1);
	if (strstr(buf_str(&error), part) == NULL)
		print_error("%s\n", buf_str(&error));
	assert_non_null(strstr(buf_str(&error), part));
	client_conf_free(&c);
	buf_free(&error);
}

/* Fail unless the list expands to these labels, separated by spaces. */
static void
assert_list(const struct client_conf *c, const char *list, const char *labels)
{
	struct buf got = { 0 }, error = { 0 };
	struct hosts hosts = { 0 };
	size_t i;

	assert_int_equal(host_expand(&hosts, c, list, &error), 0);
	for (i = 0; i < hosts.n; i++)
		buf_addf(&got, "%s%s", i ? " " : "", hosts.v[i].label);
	assert_string_equal(buf_str(&got), labels);
	hosts_free(&hosts);
	buf_free(&got);
}

static void
assert_list_refused(
	const struct client_conf *c, const char *list, const char *part)
{
	struct buf error = { 0 };
	struct hosts hosts = { 0 };

	assert_int_equal(host_expand(&hosts, c, list, &error), -1);
	if (strstr(buf_str(&error), part) == NULL)
		print_error("%s\n", buf_str(&error));
	assert_non_null(strstr(buf_str(&error), part));
	hosts_free(&hosts);
	buf_free(&error);
}

/*
 * Fail unless the name resolves to this kind of transport, this host and this
 * port.
 */
static void
assert_way(const struct client_conf *c, const char *name, enum target_kind kind,
	const char *host, const char *port)
{
	struct hosts hosts = { 0 };
	struct buf error = { 0 };

	assert_int_equal(host_expand(&hosts, c, name, &error), 0);
	assert_int_equal(hosts.n, 1);
	assert_string_equal(hosts.v[0].label, name);
	assert_string_equal(hosts.v[0].target.name, name);
	assert_int_equal(hosts.v[0].target.kind, kind);
	assert_string_equal(hosts.v[0].target.host, host);
	assert_string_equal(hosts.v[0].target.port, port);
	hosts_free(&hosts);
}

static void
hosts_are_reached_as_configured(void **state)
{
	struct client_conf c = read_texts(
		"hosts = ("
		"{ name = \"web1\"; address = \"10.0.0.5\"; port = 7000; },"
		"{ name = \"Web2\"; transport = \"plain\"; },"
		"{ name = \"six\"; address = \"::1\"; },"
		"{ name = \"seven\"; address = \"[fe80::1%eth0]\"; },"
		"{ name = \"here\"; transport = \"unix\"; "
		"address = \"/run/a,b\"; },"
		"{ name = \"n[08-10]\"; address = \"10.1.0.[8-10]\"; } );",
		NULL);

	(void)state;
	assert_way(&c, "web1", TARGET_TLS, "10.0.0.5", "7000");
	assert_way(&c, "WEB1", TARGET_TLS, "10.0.0.5", "7000");
	assert_way(&c, "web1:80", TARGET_TLS, "10.0.0.5", "80");
	assert_way(&c, "web2", TARGET_PLAIN, "web2", "7074");
	assert_way(&c, "six", TARGET_TLS, "::1", "7075");
	assert_way(&c, "six:1", TARGET_TLS, "::1", "1");
	assert_way(&c, "seven", TARGET_TLS, "fe80::1%eth0", "7075");
	assert_way(&c, "here", TARGET_UNIX, "/run/a,b", "");
	assert_way(&c, "n09", TARGET_TLS, "10.1.0.9", "7075");
	/*
	 * An address is not looked up in the file. A name that follows a
	 * transport is not looked up either.
	 */
	assert_way(&c, "plain:web1", TARGET_PLAIN, "web1", "7074");
	assert_way(&c, "[::1]", TARGET_TLS, "::1", "7075");
	assert_way(&c, "other", TARGET_TLS, "other", "7075");
	assert_list_refused(&c, "here:70", "a unix socket has no port");
	assert_list_refused(&c, "web1:x", "a port is a number");
	client_conf_free(&c);
}

static void
entries_say_more(void **state)
{
	struct client_conf c = read_texts(
		"hosts = ( { name = \"n[1-2]\"; fingerprint = \"" PIN "\";"
		" identity = \"/k\"; timeout = 3; } );"
		"defaults = { timeout = 5; fanout = 9; hosts = \"n1\"; };",
		"defaults = { timeout = 7; connect_timeout = 8; "
		"hosts = \"n2\"; };");
	struct hosts hosts = { 0 };
	struct buf error = { 0 };

	(void)state;
	assert_int_equal(host_expand(&hosts, &c, "n1,n2,x", &error), 0);
	assert_string_equal(hosts.v[1].fingerprint, PIN);
	assert_string_equal(hosts.v[1].identity, "/k");
	assert_int_equal(hosts.v[1].timeout, 3);
	assert_null(hosts.v[2].fingerprint);
	assert_int_equal(hosts.v[2].timeout, 0);
	assert_int_equal(c.default_timeout, 5);
	assert_int_equal(c.default_connect_timeout, 8);
	assert_int_equal(c.default_fanout, 9);
	assert_string_equal(c.default_hosts, "n1");
	hosts_free(&hosts);
	client_conf_free(&c);
}

static void
groups(void **state)
{
	struct client_conf c = read_texts(
		"groups = ("
		"{ name = \"lab\"; hosts = (\"n[1-4]\", \"@srv,n2\"); "
		"exclude = \"n3\"; },"
		"{ name = \"srv\"; hosts = \"web[1-2]\"; },"
		"{ name = \"rack1\"; hosts = (\"a\"); },"
		"{ name = \"rack2\"; hosts = (\"b\"); },"
		"{ name = \"rest\"; hosts = \"@*\"; exclude = \"@lab\"; },"
		"{ name = \"none\"; hosts = (); } );",
		NULL);

	(void)state;
	assert_list(&c, "@lab", "n1 n2 n4 web1 web2");
	assert_list(&c, "x,@srv,y", "x web1 web2 y");
	assert_list(&c, "@rack[1-2]", "a b");
	assert_list(&c, "@rest", "a b");
	assert_list(&c, "@none", "");
	assert_list(&c, "@*", "n1 n2 n4 web1 web2 web1 web2 a b a b");
	assert_list_refused(&c, "@labb", "did you mean '@lab'?");
	assert_list_refused(&c, "@somewhere", "groups are defined in");
	assert_list_refused(&c, "@", "unknown group '@'");
	client_conf_free(&c);
}

static void
loops(void **state)
{
	struct client_conf c = read_texts(
		"groups = ("
		"{ name = \"a\"; hosts = (\"x\", \"@b\"); },"
		"{ name = \"b\"; hosts = \"@c\"; },"
		"{ name = \"c\"; hosts = \"@b\"; },"
		"{ name = \"own\"; hosts = \"y\"; exclude = \"@own\"; } );",
		NULL);

	(void)state;
	assert_list_refused(
		&c, "@a", "'@b' contains itself: @a > @b > @c > @b");
	assert_list_refused(&c, "@own", "'@own' contains itself");
	client_conf_free(&c);
}

static void
the_first_counts(void **state)
{
	struct client_conf c =
		read_texts("hosts = ( { name = \"n1\"; address = \"mine\"; }, "
			   "          { name = \"n[1-2]\"; port = 70; } );"
			   "groups = ( { name = \"g\"; hosts = \"mine\"; } );",
			"hosts = ( { name = \"N[1-3]\"; port = 80; } );"
			"groups = ( { name = \"g\"; hosts = \"theirs\"; },"
			"           { name = \"h\"; hosts = \"theirs\"; } );");

	(void)state;
	assert_way(&c, "n1", TARGET_TLS, "mine", "7075");
	assert_way(&c, "n2", TARGET_TLS, "n2", "70");
	assert_way(&c, "n3", TARGET_TLS, "n3", "80");
	assert_list(&c, "@g,@h", "mine theirs");
	client_conf_free(&c);
}

static void
too_many(void **state)
{
	struct client_conf c = read_texts(
		"groups = ( { name = \"g\"; hosts = \"n[1-600000]\"; },"
		"           { name = \"h\"; hosts = \"m[1-600000]\"; } );",
		NULL);

	(void)state;
	/*
	 * Skip this check under valgrind(1), which needs minutes for a million
	 * hosts.
	 */
	if (getenv("BRIDLE_UNIT_WRAP") == NULL)
		assert_list_refused(&c, "@g,@h", "more than 1000000 hosts");
	client_conf_free(&c);
}

static void
mistakes(void **state)
{
	(void)state;
	assert_refused("host = ();", "one.conf:1: host: unknown key; did you "
				     "mean hosts?");
	assert_refused("hosts = \"a\";", "hosts: must be a list of groups");
	assert_refused("hosts = ( \"a\" );", "hosts[0]: must be a group");
	assert_refused("groups = ( \"a\" );", "groups[0]: must be a group");
	assert_refused("hosts = (\n{ nam = \"a\"; } );",
		"one.conf:2: hosts[0].nam: unknown key; did you mean name?");
	assert_refused("hosts = ( { port = 1; } );", "hosts[0]: has no name");
	assert_refused(
		"hosts = ( { name = \"n[1-\"; } );", "no matching bracket");
	assert_refused(
		"hosts = ( { name = \"a:70\"; } );", "is more than a name");
	assert_refused("hosts = ( { name = \"@a\"; } );", "is no host");
	assert_refused("hosts = ( { name = \"a b\"; } );", "is no host");
	assert_refused("hosts = ( { name = \"\"; } );", "names no host");
	assert_refused("hosts = ( { name = \"a\"; address = \"b:70\"; } );",
		"is more than an address");
	assert_refused("hosts = ( { name = \"a\"; address = \"b c\"; } );",
		"hosts[0].address (a): 'b c' is no host");
	assert_refused("hosts = ( { name = \"n[1-3]\"; address = "
		       "\"10.0.0.[1-2]\"; } );",
		"stands for 2 addresses, but the name for 3 hosts");
	assert_refused("hosts = ( { name = \"a\"; port = 0; } );",
		"0 is out of range: 1 to 65535");
	assert_refused("hosts = ( { name = \"a\"; timeout = \"1\"; } );",
		"must be a whole number");
	assert_refused("hosts = ( { name = \"a\"; transport = \"udp\"; } );",
		"\"udp\" is no transport; use tls, plain or unix");
	assert_refused("hosts = ( { name = \"a\"; transport = \"unix\"; } );",
		"the path of the socket");
	assert_refused("hosts = ( { name = \"a\"; transport = \"unix\"; "
		       "address = \"/s\"; port = 7; } );",
		"a unix socket has no port");
	assert_refused("hosts = ( { name = \"a\"; fingerprint = \"x\"; } );",
		"\"x\" is not a fingerprint");
	assert_refused("hosts = ( { name = \"a\"; transport = \"plain\"; "
		       "fingerprint = \"" PIN "\"; } );",
		"hosts[0].fingerprint (a): is for TLS");
	if (getenv("BRIDLE_UNIT_WRAP") == NULL)
		assert_refused("hosts = ( { name = \"n[1-999999]\"; },"
			       "{ name = \"m[1-2]\"; } );",
			"hosts in total");
	assert_refused("groups = ( { hosts = \"a\"; } );", "has no name");
	assert_refused("groups = ( { name = \"a\"; } );", "has no hosts");
	assert_refused("groups = ( { name = \"a b\"; hosts = \"a\"; } );",
		"is no name for a group");
	assert_refused("groups = ( { name = \"a\"; hosts = (\"b\", 3); } );",
		"must be text");
	assert_refused("groups = ( { name = \"a\"; hosts = \"n[2-1]\"; } );",
		"groups[0].hosts (a): 'n[2-1]'");
	assert_refused("groups = ( { name = \"a\"; hosts = \"b\"; },"
		       "{ name = \"a\"; hosts = \"c\"; } );",
		"two groups \"a\" in this file");
	assert_refused("defaults = { fanout = 1001; };", "out of range");
	assert_refused("defaults = ();", "defaults: must be a group");
	assert_refused("defaults = { host = \"a\"; };", "did you mean hosts?");
	assert_refused(
		"defaults = { hosts = \"n[\"; };", "no matching bracket");
	assert_refused("hosts = (", "syntax error");
}

static void
all_mistakes_at_once(void **state)
{
	static const char text[] = "hosts = (\n{ name = \"a:1\"; },\n"
				   "{ name = \"b\"; port = 0; } );\n"
				   "groups = (\n{ name = \"c\"; } );\n";

	(void)state;
	assert_refused(text, "one.conf:2: ");
	assert_refused(text, "one.conf:3: ");
	assert_refused(text, "one.conf:5: ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_are_reached_as_configured),
		cmocka_unit_test(entries_say_more),
		cmocka_unit_test(groups),
		cmocka_unit_test(loops),
		cmocka_unit_test(the_first_counts),
		cmocka_unit_test(too_many),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(all_mistakes_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
