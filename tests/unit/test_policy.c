#include "policy/policy.h"

#include "wire.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

#define STAFF 4711
#define PUPILS 4712

/* Parse a text with the daemon's parser, and return the settings. */
static struct settings *
settings_of(const char *text)
{
	struct buf errors = { 0 }, warnings = { 0 }, whole = { 0 };
	struct settings_ids ids = { 0 };
	struct settings *s;

	buf_adds(&whole, "listen = ( { unix = \"/run/test.sock\"; } );\n");
	buf_adds(&whole, text);
	s = settings_parse(buf_str(&whole), "test", &ids, &errors, &warnings);
	if (s == NULL)
		fail_msg("%s", buf_str(&errors));
	buf_free(&ids.list);
	buf_free(&whole);
	buf_free(&errors);
	buf_free(&warnings);
	return s;
}

/*
 * The settings give users and groups as numbers, because these users and groups
 * may not exist on this machine.
 */
static const char school[] =
	"clients = ("
	" { name = \"guest\"; unix_user = \"1005\"; allow = (); },"
	" { name = \"near\"; unix_user = \"1001\"; from = (\"127.0.0.1\");"
	"   allow = (\"*\"); },"
	" { name = \"far\"; unix_user = \"1001\"; allow = (\"ping\"); },"
	" { name = \"staff\"; unix_group = \"4711\"; allow = (\"*\");"
	"   kill = { names = (\"firefox\", \"a b\"); users = (\"1002\", "
	"\"1003\");"
	"     signals = (\"TERM\", \"INT\", \"RTMAX\"); };"
	"   halt = { modes = (\"poweroff\"); }; },"
	" { name = \"pupils\"; unix_group = \"4712\";"
	"   allow = (\"list\", \"kill\", \"halt\");"
	"   kill = { names = (); }; halt = { modes = (); }; },"
	" { name = \"nobodys\"; unix_user = \"1004\"; allow = (\"kill\");"
	"   kill = { users = (); signals = (); }; },"
	" { name = \"outside\"; anonymous = true; from = (\"10.0.0.0/8\");"
	"   allow = (\"ping\", \"explain\"); } );"
	"protect = (\"sshd\", \"two words\");";

static struct settings *settings;
static int64_t now_ms; /* the time for policy_decide() */

static int
set_up(void **state)
{
	(void)state;
	settings = settings_of(school);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	settings_free(settings);
	return 0;
}

/*
 * Return a peer at this address. If the address is NULL, the peer uses a unix
 * socket.
 */
static struct peer
person(enum peer_kind kind, uid_t uid, const char *address)
{
	struct peer who = { .kind = kind, .uid = uid };

	who.groups_known = kind == PEER_UNIX;
	who.why = "the reason";
	if (address != NULL) {
		assert_int_equal(net_parse(address, &who.addr), 0);
		who.has_addr = true;
	}
	return who;
}

static gid_t staff[] = { 100, STAFF };
static gid_t pupils[] = { PUPILS };
static gid_t both[] = { PUPILS, STAFF };

static struct peer
member(gid_t *groups, size_t n)
{
	struct peer who = person(PEER_UNIX, 1010, NULL);

	who.groups = groups;
	who.ngroups = n;
	return who;
}

static struct verdict
decide(const struct peer *who, const char *line)
{
	static char copy[256];
	struct request_error e;
	struct request r;
	struct verdict v;

	strcpy(copy, line);
	if (request_parse(copy, strlen(copy), true, &r, &e) != 0)
		fail_msg("%s: %s", line, e.reason);
	memset(&v, 0xee, sizeof(v));
	policy_decide(settings, who, &r, now_ms, &v);
	return v;
}

/*
 * Test that the first matching entry decides, even if a later entry allows
 * more.
 */
static void
test_who_is_who(void **state)
{
	const struct {
		struct peer who;
		const char *client; /* name of client; NULL if none matches */
	} rows[] = {
		{ person(PEER_UNIX, 1001, NULL), "far" },
		{ person(PEER_LOCAL, 1001, "127.0.0.1:9"), "near" },
		{ person(PEER_LOCAL, 1001, "127.0.0.2:9"), "far" },
		{ person(PEER_LOCAL, 1001, "[::1]:9"), "far" },
		{ person(PEER_UNIX, 1005, NULL), "guest" },
		{ person(PEER_UNIX, 1010, NULL), NULL },
		{ person(PEER_UNIX, 0, NULL), NULL },
		{ member(staff, 2), "staff" },
		{ member(pupils, 1), "pupils" },
		{ member(both, 2), "staff" },
		{ member(staff, 1), NULL },
		{ person(PEER_ANONYMOUS, 0, "10.1.2.3:9"), "outside" },
		{ person(PEER_ANONYMOUS, 0, "[::ffff:10.1.2.3]:9"), "outside" },
		{ person(PEER_ANONYMOUS, 0, "11.1.2.3:9"), NULL },
		{ person(PEER_ANONYMOUS, 1001, "127.0.0.1:9"), NULL },
		{ person(PEER_ANONYMOUS, 0, NULL), NULL },
		{ person(PEER_NONE, 1001, "127.0.0.1:9"), NULL },
		{ person(PEER_NONE, 0, "10.1.2.3:9"), NULL },
		{ person(PEER_KEY, 1001, "10.1.2.3:9"), NULL },
	};
	const struct settings_client *c;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		c = policy_client(settings, &rows[i].who);
		if ((c == NULL) != (rows[i].client == NULL) ||
			(c != NULL && strcmp(c->name, rows[i].client) != 0))
			fail_msg("row %zu is %s", i, c ? c->name : "nobody");
	}
}

static void
test_no_identity(void **state)
{
	struct peer none = person(PEER_NONE, 1001, "127.0.0.1:9");
	struct peer stranger = person(PEER_UNIX, 4321, NULL);
	struct verdict v = decide(&none, "1#4");

	(void)state;
	assert_int_equal(v.code, CODE_NO_IDENTITY);
	assert_null(v.client);
	assert_string_equal(v.rule, "");
	assert_string_equal(v.reason, "the reason");
	v = decide(&stranger, "1#4");
	assert_int_equal(v.code, CODE_NO_IDENTITY);
	assert_null(v.client);
	assert_string_equal(v.rule, "");
	assert_string_equal(v.reason, "no entry of clients matches uid=4321");
}

/* Test the decision for each verb, and the name of the rule that decides. */
static void
test_decisions(void **state)
{
	struct peer s = member(staff, 2), p = member(pupils, 1);
	struct peer n = person(PEER_UNIX, 1004, NULL);
	struct peer f = person(PEER_UNIX, 1001, NULL);
	struct peer g = person(PEER_UNIX, 1005, NULL);
	struct peer l = person(PEER_LOCAL, 1001, "127.0.0.1:9");
	const struct {
		const struct peer *who;
		const char *line;
		const char *rule;
		const char *reason; /* expected reason; NULL if allowed */
	} rows[] = {
		{ &s, "1#1#mode=poweroff", "staff.allow", NULL },
		{ &s, "1#1", "staff.halt.modes", "staff may not halt" },
		{ &s, "1#1#dry-run", "staff.halt.modes", "staff may not halt" },
		{ &s, "1#1#mode=reboot", "staff.halt.modes",
			"staff may not reboot" },
		{ &s, "1#2", "staff.allow", NULL },
		{ &s, "1#2#name=*#user=root", "staff.allow", NULL },
		{ &s, "1#3#firefox", "staff.allow", NULL },
		{ &s, "1#3#a b#signal=INT", "staff.allow", NULL },
		{ &s, "1#3#firefox#signal=RTMAX", "staff.allow", NULL },
		{ &s, "1#3#firefox#escalate=INT", "staff.allow", NULL },
		{ &s, "1#3#firefox#user=root", "staff.allow", NULL },
		{ &s, "1#3#firefo", "staff.kill.names",
			"staff may not kill \"firefo\"" },
		{ &s, "1#3#firefoxx", "staff.kill.names",
			"staff may not kill \"firefoxx\"" },
		{ &s, "1#3#Firefox#dry-run", "staff.kill.names",
			"staff may not kill \"Firefox\"" },
		{ &s, "1#3#f%0A%1B", "staff.kill.names",
			"staff may not kill \"f\\x0a\\x1b\"" },
		{ &s, "1#3#firefox#signal=KILL", "staff.kill.signals",
			"staff may not send KILL" },
		{ &s, "1#3#firefox#signal=RTMIN", "staff.kill.signals",
			"staff may not send RTMIN" },
		{ &s, "1#3#firefox#signal=1", "staff.kill.signals",
			"staff may not send HUP" },
		{ &s, "1#3#firefox#escalate=KILL", "staff.kill.signals",
			"staff may not escalate to KILL" },
		{ &s, "1#4", "staff.allow", NULL },
		{ &s, "1#6", "staff.allow", NULL },
		{ &s, "1#7", "staff.allow", NULL },
		{ &s, "1#11", "staff.allow", NULL },
		{ &s, "1#12#1", "staff.allow", NULL },
		{ &s, "1#12#3#sshd#signal=KILL", "staff.allow", NULL },
		{ &p, "1#1", "pupils.halt.modes", "pupils may not halt" },
		{ &p, "1#1#mode=poweroff", "pupils.halt.modes",
			"pupils may not poweroff" },
		{ &p, "1#2", "pupils.allow", NULL },
		{ &p, "1#3#firefox", "pupils.kill.names",
			"pupils may not kill \"firefox\"" },
		{ &p, "1#4", "pupils.allow", "pupils may not use ping" },
		{ &p, "1#6", "pupils.allow", "pupils may not use cancel" },
		{ &p, "1#7", "pupils.allow", "pupils may not use status" },
		{ &p, "1#11", "pupils.allow", "pupils may not use verbs" },
		{ &p, "1#12#2", "pupils.allow", "pupils may not use explain" },
		{ &n, "1#3#x", "nobodys.kill.signals",
			"nobodys may not send TERM" },
		{ &n, "1#3#x#signal=RTMAX", "nobodys.kill.signals",
			"nobodys may not send RTMIN+30" },
		{ &n, "1#2", "nobodys.allow", "nobodys may not use list" },
		{ &f, "1#4", "far.allow", NULL },
		{ &f, "1#1", "far.allow", "far may not use halt" },
		{ &f, "1#3#x", "far.allow", "far may not use kill" },
		{ &g, "1#4", "guest.allow", "guest may not use ping" },
		{ &g, "1#2", "guest.allow", "guest may not use list" },
		{ &l, "1#1#mode=reboot", "near.allow", NULL },
		{ &l, "1#3#anything#signal=64#escalate=9", "near.allow", NULL },
	};
	struct verdict v;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		v = decide(rows[i].who, rows[i].line);
		if (v.code != (rows[i].reason ? CODE_NOT_ALLOWED : CODE_OK))
			fail_msg("%s: %d %s", rows[i].line, v.code, v.reason);
		assert_non_null(v.client);
		assert_string_equal(v.rule, rows[i].rule);
		if (rows[i].reason != NULL)
			assert_string_equal(v.reason, rows[i].reason);
	}
}

/* Test each signal of the kernel against the list of allowed signals. */
static void
test_every_signal(void **state)
{
	struct peer who = member(staff, 2);
	struct request r;
	struct verdict v;
	int sig, good;

	(void)state;
	request_init(&r, VERB_KILL);
	r.strings[REQUEST_NAME] = "firefox";
	for (sig = 1; sig <= 64; sig++) {
		good = sig == SIGTERM || sig == SIGINT || sig == SIGRTMAX;
		r.signal = sig;
		r.escalate = 0;
		policy_decide(settings, &who, &r, now_ms, &v);
		assert_int_equal(v.code, good ? CODE_OK : CODE_NOT_ALLOWED);
		r.signal = SIGTERM;
		r.escalate = sig;
		r.wait = 1;
		policy_decide(settings, &who, &r, now_ms, &v);
		assert_int_equal(v.code, good ? CODE_OK : CODE_NOT_ALLOWED);
	}
}

/* Test that allowing one verb allows no other verb. */
static void
test_each_verb_alone(void **state)
{
	static const char *const lines[] = { NULL, "1#1", "1#2", "1#3#x", "1#4",
		NULL, "1#6", "1#7", NULL, NULL, NULL, "1#11", "1#12#4",
		"1#13#52:54:00:12:34:56" };
	struct peer who = person(PEER_UNIX, 1001, NULL);
	struct settings *kept = settings;
	struct verdict v;
	struct buf text = { 0 };
	int allowed, asked;

	(void)state;
	for (allowed = 1; allowed <= VERB_LAST; allowed++) {
		if (lines[allowed] == NULL)
			continue;
		buf_reset(&text);
		buf_addf(&text,
			"clients = ( { name = \"a\"; unix_user = \"1001\"; "
			"allow = (\"%s\"); } );",
			verb_by_number(allowed)->name);
		settings = settings_of(buf_str(&text));
		for (asked = 1; asked <= VERB_LAST; asked++) {
			if (lines[asked] == NULL)
				continue;
			v = decide(&who, lines[asked]);
			assert_int_equal(v.code,
				asked == allowed ? CODE_OK : CODE_NOT_ALLOWED);
		}
		settings_free(settings);
	}
	settings = kept;
	buf_free(&text);
}

/*
 * Test that the reason contains only the start of a long name. The reason must
 * fit into its buffer.
 */
static void
test_long_names(void **state)
{
	struct peer who = member(staff, 2);
	struct verdict v;
	char line[256] = "1#3#";

	(void)state;
	memset(line + 4, 'x', 240);
	v = decide(&who, line);
	assert_int_equal(v.code, CODE_NOT_ALLOWED);
	assert_true(strlen(v.reason) < POLICY_REASON_MAX - 1);
	assert_non_null(strstr(v.reason, "xxx\""));
}

static void
test_targets(void **state)
{
	struct peer s = member(staff, 2);
	struct peer l = person(PEER_LOCAL, 1001, "127.0.0.1:9");
	struct peer n = person(PEER_UNIX, 1004, NULL);
	const struct {
		const struct peer *who;
		struct policy_process p;
		enum policy_target target;
	} rows[] = {
#define P(pid, uid, kernel, ours, name) \
	{ pid, uid, kernel, ours, name, sizeof(name) - 1 }
		{ &s, P(99, 1002, false, false, "firefox"), TARGET_ALLOWED },
		{ &s, P(99, 1003, false, false, "firefox"), TARGET_ALLOWED },
		{ &s, P(99, 1004, false, false, "firefox"), TARGET_DENIED },
		{ &s, P(99, 0, false, false, "firefox"), TARGET_DENIED },
		{ &l, P(99, 0, false, false, "firefox"), TARGET_ALLOWED },
		{ &l, P(99, 4294967294u, false, false, "x"), TARGET_ALLOWED },
		{ &l, P(1, 0, false, false, "systemd"), TARGET_PROTECTED },
		{ &l, P(1, 1002, false, false, "x"), TARGET_PROTECTED },
		{ &l, P(2, 0, true, false, "kthreadd"), TARGET_PROTECTED },
		{ &l, P(99, 1002, true, false, "x"), TARGET_PROTECTED },
		{ &l, P(99, 990, false, true, "bridled"), TARGET_PROTECTED },
		{ &s, P(1, 1002, false, false, "x"), TARGET_PROTECTED },
		{ &l, P(99, 0, false, false, "sshd"), TARGET_PROTECTED },
		{ &l, P(99, 999, false, false, "sshd"), TARGET_PROTECTED },
		{ &l, P(99, 1000, false, false, "sshd"), TARGET_ALLOWED },
		{ &s, P(99, 1002, false, false, "sshd"), TARGET_ALLOWED },
		{ &l, P(99, 0, false, false, "two words"), TARGET_PROTECTED },
		{ &l, P(99, 0, false, false, "sshd2"), TARGET_ALLOWED },
		{ &l, P(99, 0, false, false, "ssh"), TARGET_ALLOWED },
		{ &l, P(99, 0, false, false, "sshd\0x"), TARGET_ALLOWED },
		{ &l, P(99, 0, false, false, ""), TARGET_ALLOWED },
		{ &n, P(99, 1002, false, false, "x"), TARGET_DENIED },
		{ &n, P(99, 1004, false, false, "x"), TARGET_DENIED },
		{ &n, P(99, 0, false, false, "sshd"), TARGET_PROTECTED },
#undef P
	};
	const struct settings_client *c;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		c = policy_client(settings, rows[i].who);
		if (policy_target(settings, c, &rows[i].p) != rows[i].target)
			fail_msg("row %zu", i);
	}
}

/*
 * Test that a client's groups are looked up only if these groups can change the
 * decision.
 */
static void
test_needs_groups(void **state)
{
	struct peer who = person(PEER_LOCAL, 1010, "127.0.0.1:9");

	(void)state;
	assert_true(policy_needs_groups(settings, &who));
	who.groups_known = true;
	assert_false(policy_needs_groups(settings, &who));
	who.groups_known = false;
	who.uid = 1001; /* an entry before the group's entry matches */
	assert_false(policy_needs_groups(settings, &who));
	who.uid = 1004; /* a matching entry comes after the group's entry */
	assert_true(policy_needs_groups(settings, &who));
	who = person(PEER_ANONYMOUS, 0, "10.1.2.3:9");
	assert_false(policy_needs_groups(settings, &who));
	who = person(PEER_NONE, 0, "127.0.0.1:9");
	assert_false(policy_needs_groups(settings, &who));
}

/*
 * Test that a client with unknown groups is refused. The client must not be
 * treated as a client without groups. An entry for a group might restrict this
 * client.
 */
static void
test_unknown_groups_decide_nothing(void **state)
{
	struct settings *s = settings_of("clients = ("
					 " { name = \"low\"; unix_group = "
					 "\"4711\"; allow = (\"ping\"); },"
					 " { name = \"high\"; unix_user = "
					 "\"1010\"; allow = (\"*\"); } );");
	struct peer who = person(PEER_LOCAL, 1010, "127.0.0.1:9");
	struct request r;
	struct verdict v;

	(void)state;
	request_init(&r, VERB_HALT);
	policy_decide(s, &who, &r, now_ms, &v);
	assert_int_equal(v.code, CODE_NO_IDENTITY);
	assert_null(v.client);
	assert_non_null(strstr(v.reason, "cannot look up the groups of"));
	who.groups_known = true;
	policy_decide(s, &who, &r, now_ms, &v);
	assert_int_equal(v.code, CODE_OK);
	settings_free(s);
}

static void
test_needs_groups_by_place(void **state)
{
	struct settings *s = settings_of(
		"clients = ( { name = \"a\"; unix_group = \"4711\"; "
		"from = (\"10.0.0.0/8\"); allow = (\"*\"); } );");
	struct peer who = person(PEER_LOCAL, 1010, "127.0.0.1:9");

	(void)state;
	assert_false(policy_needs_groups(s, &who));
	who = person(PEER_LOCAL, 1010, "10.0.0.1:9");
	assert_true(policy_needs_groups(s, &who));
	settings_free(s);
}

static void
test_nobody_may(void **state)
{
	struct settings *s = settings_of("clients = ();");
	struct peer root = person(PEER_UNIX, 0, NULL);

	(void)state;
	assert_null(policy_client(s, &root));
	assert_false(policy_needs_groups(s, &root));
	settings_free(s);
}

/*
 * Test that an expired entry refuses each verb, and that no later entry
 * decides instead.
 */
static void
test_expired(void **state)
{
	static const char *const lines[] = { "1#4", "1#1", "1#3#firefox",
		"1#5#x", "1#12#4" };
	struct peer who = person(PEER_UNIX, 1001, NULL);
	struct settings *before = settings, *s;
	struct verdict v;
	size_t i;

	(void)state;
	s = settings = settings_of(
		"clients = ("
		" { name = \"a\"; unix_user = \"1001\"; allow = (\"*\");"
		"   until = \"2027-01-31\"; },"
		" { name = \"b\"; unix_user = \"1001\"; allow = (\"*\"); } );");
	for (i = 0; i < LENGTH(lines); i++) {
		now_ms = s->clients[0].until * 1000 - 1;
		v = decide(&who, lines[i]);
		assert_int_not_equal(v.code, CODE_NO_IDENTITY);
		now_ms++;
		v = decide(&who, lines[i]);
		assert_int_equal(v.code, CODE_NO_IDENTITY);
		assert_ptr_equal(v.client, &s->clients[0]);
		assert_string_equal(v.rule, "a.until");
		assert_string_equal(
			v.reason, "the entry a has expired (until 2027-01-31)");
	}
	assert_false(policy_expired(&s->clients[1], INT64_MAX - 1));
	now_ms = 0;
	settings_free(s);
	settings = before;
}

static void
test_limits(void **state)
{
	static const struct {
		size_t client;
		enum verb_number verb;
		const char *text;
	} rows[] = {
		{ 3, VERB_KILL,
			"names=firefox,a b users=1002,1003 "
			"signals=INT,TERM,RTMIN+30" },
		{ 3, VERB_HALT, "modes=poweroff" },
		{ 3, VERB_LIST, "" },
		{ 4, VERB_KILL, "names=" },
		{ 4, VERB_HALT, "modes=" },
		{ 5, VERB_KILL, "users= signals=" },
		{ 5, VERB_HALT, "" },
		{ 1, VERB_KILL, "" },
	};
	struct buf b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		buf_reset(&b);
		policy_limits(
			&settings->clients[rows[i].client], rows[i].verb, &b);
		assert_string_equal(buf_str(&b), rows[i].text);
	}
	buf_free(&b);
}

/*
 * Test that the text of the limits is truncated if the lists are long. A record
 * must be able to hold this text.
 */
static void
test_limits_are_cut(void **state)
{
	struct settings *s;
	struct buf text = { 0 }, b = { 0 }, line = { 0 };
	int i;

	(void)state;
	buf_adds(&text, "clients = ( { name = \"a\"; unix_user = \"1\"; "
			"allow = (\"kill\"); kill = { names = (\"x\"");
	for (i = 0; i < 5000; i++)
		buf_addf(&text, ", \"\\xff\\xff\\xffname-%d\"", i);
	buf_adds(&text, "); signals = (\"TERM\"); }; } );");
	s = settings_of(buf_str(&text));
	policy_limits(&s->clients[0], VERB_KILL, &b);
	wire_put(&line, b.data, b.len);
	assert_in_range(line.len, 1000, WIRE_REPLY_MAX - 100);
	assert_non_null(strstr(buf_str(&b), ",… signals=TERM"));
	settings_free(s);
	buf_free(&text);
	buf_free(&line);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_is_who),
		cmocka_unit_test(test_no_identity),
		cmocka_unit_test(test_decisions),
		cmocka_unit_test(test_every_signal),
		cmocka_unit_test(test_each_verb_alone),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_needs_groups),
		cmocka_unit_test(test_unknown_groups_decide_nothing),
		cmocka_unit_test(test_needs_groups_by_place),
		cmocka_unit_test(test_nobody_may),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_limits_are_cut),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
