#include "request.h"

#include "wire.h"

#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

#define TOKEN "17-123456-0a1b2c3d"

/*
 * A line and the result of parsing this line. The request's strings point into
 * the line.
 */
struct parsed {
	char line[2 * WIRE_LINE_MAX];
	int result;
	struct request request;
	struct request_error error;
};

static const struct parsed *
parse_bytes(const void *line, size_t len, bool ended)
{
	static struct parsed p;

	memset(&p, 0xee, sizeof(p));
	memcpy(p.line, line, len);
	p.result = request_parse(p.line, len, ended, &p.request, &p.error);
	if (p.result == 0 && !request_valid(&p.request))
		fail_msg("what was parsed is not valid: %.*s", (int)len,
			(const char *)line);
	return &p;
}

static const struct parsed *
parse(const char *line)
{
	return parse_bytes(line, strlen(line), true);
}

static const struct request *
parse_good(const char *line)
{
	const struct parsed *p = parse(line);

	if (p->result != 0)
		fail_msg("%s: %d %s", line, p->error.code, p->error.reason);
	return &p->request;
}

/*
 * Test valid requests. request_format() must give the shortest line for the
 * same request.
 */
static void
test_good(void **state)
{
	static const struct {
		const char *line;
		const char *shortest; /* shortest line; NULL if the same */
	} rows[] = {
		{ "1#1", NULL },
		{ "1#1#mode=halt", "1#1" },
		{ "1#1#mode=reboot", NULL },
		{ "1#1#dry-run#mode=poweroff#when=+5#message=back soon", NULL },
		{ "1#1#mode=reboot#dry-run", "1#1#dry-run#mode=reboot" },
		{ "1#1#when=now", "1#1" },
		{ "1#1#when=+0", NULL },
		{ "1#1#when=+10080", NULL },
		{ "1#1#when=23:59", NULL },
		{ "1#1#dry-run#message=a=b %25 %23 %3D#when=00:00",
			"1#1#dry-run#when=00:00#message=a=b %25 %23 =" },
		{ "1#1#message=\xe4\xbd\xa0", NULL },
		{ "1#2", NULL },
		{ "1#2#name=fire*#user=1000", NULL },
		{ "1#2#user=eve#name=[a-z]", "1#2#name=[a-z]#user=eve" },
		{ "1#2#name==", NULL },
		{ "1#2#name=dry-run", NULL },
		{ "1#3#firefox", NULL },
		{ "1#3#dry-run", NULL },
		{ "1#3#signal=KILL", NULL },
		{ "1#3#-9", NULL },
		{ "1#3#a b%23%25%0A%1B%FF", NULL },
		{ "1#3#\xff\x7f", "1#3#%FF%7F" },
		{ "1#3#%66irefox#dry-run", "1#3#firefox#dry-run" },
		{ "1#3#x#signal=TERM", "1#3#x" },
		{ "1#3#x#signal=15", "1#3#x" },
		{ "1#3#x#signal=sigkill", "1#3#x#signal=KILL" },
		{ "1#3#x#signal=64", "1#3#x#signal=RTMIN+30" },
		{ "1#3#x#signal=33", NULL },
		{ "1#3#x#wait=0", "1#3#x" },
		{ "1#3#x#wait=600", NULL },
		{ "1#3#x#escalate=9", "1#3#x#wait=5#escalate=KILL" },
		{ "1#3#x#escalate=KILL#wait=1", "1#3#x#wait=1#escalate=KILL" },
		{ "1#3#x#user=eve", NULL },
		{ "1#3#x#only=" TOKEN, NULL },
		{ "1#3#x#only=" TOKEN "," TOKEN "," TOKEN, NULL },
		{ "1#4", NULL },
		{ "1#6", NULL },
		{ "1#7", NULL },
		{ "1#11", NULL },
		{ "1#12#1#mode=reboot", NULL },
		{ "1#12#3#sshd#dry-run#signal=HUP", NULL },
		{ "1#5#lock", NULL },
		{ "1#5#restart#unit=nginx", NULL },
		{ "1#5#restart#unit=a=b#x_1-=#=y", NULL },
		{ "1#5#restart#unit%3Dnginx#%75nit=n",
			"1#5#restart#unit%3Dnginx#unit%3Dn" },
		{ "1#5#x##-rf#%0A#%FF#Unit=x#1=2", NULL },
		{ "1#5#x#1#2#3#4#5#6#7#8#9#10#11#12#13", NULL },
		{ "1#12#5#x#a=1", NULL },
		{ "1#12#2", NULL },
		{ "1#12#11", NULL },
	};
	struct buf b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		buf_reset(&b);
		request_format(parse_good(rows[i].line), &b);
		assert_string_equal(buf_str(&b),
			rows[i].shortest ? rows[i].shortest : rows[i].line);
		/* The shortest line must parse to the same request. */
		buf_reset(&b);
		request_format(parse_good(rows[i].shortest ? rows[i].shortest
							   : rows[i].line),
			&b);
		assert_string_equal(buf_str(&b),
			rows[i].shortest ? rows[i].shortest : rows[i].line);
	}
	buf_free(&b);
}

static void
test_kill_in_full(void **state)
{
	const struct request *r = parse_good(
		"1#3#fire%23fox#signal=INT#wait=7#escalate=KILL#user=eve"
		"#only=" TOKEN "#dry-run");

	(void)state;
	assert_int_equal(r->verb, VERB_KILL);
	assert_string_equal(r->strings[REQUEST_NAME], "fire#fox");
	assert_string_equal(r->strings[REQUEST_USER], "eve");
	assert_string_equal(r->strings[REQUEST_ONLY], TOKEN);
	assert_null(r->strings[REQUEST_WHEN]);
	assert_null(r->strings[REQUEST_MESSAGE]);
	assert_int_equal(r->signal, SIGINT);
	assert_int_equal(r->escalate, SIGKILL);
	assert_int_equal(r->wait, 7);
	assert_true(r->dry_run);
	assert_false(r->explain);
}

static void
test_bare_requests(void **state)
{
	const struct request *r = parse_good("1#1");

	(void)state;
	assert_int_equal(r->verb, VERB_HALT);
	assert_int_equal(r->mode, HALT_HALT);
	assert_string_equal(r->strings[REQUEST_WHEN], "now");
	assert_null(r->strings[REQUEST_MESSAGE]);
	assert_false(r->dry_run);
	r = parse_good("1#2");
	assert_int_equal(r->verb, VERB_LIST);
	assert_null(r->strings[REQUEST_NAME]);
	assert_null(r->strings[REQUEST_USER]);
	r = parse_good("1#3#firefox");
	assert_int_equal(r->verb, VERB_KILL);
	assert_string_equal(r->strings[REQUEST_NAME], "firefox");
	assert_int_equal(r->signal, SIGTERM);
	assert_int_equal(r->escalate, 0);
	assert_int_equal(r->wait, 0);
	assert_false(r->dry_run);
	r = parse_good("1#12#3#firefox");
	assert_int_equal(r->verb, VERB_KILL);
	assert_true(r->explain);
}

static void
expect(const struct parsed *p, const char *line, int code, bool close,
	const char *reason)
{
	if (p->result == 0)
		fail_msg("\"%s\" is taken", line);
	if (p->error.code != code || p->error.close != close ||
		strstr(p->error.reason, reason) == NULL)
		fail_msg("\"%s\": %d %s%s", line, p->error.code,
			p->error.reason, p->error.close ? ", close" : "");
}

static void
test_refusals(void **state)
{
	static const struct {
		const char *line;
		int code;
		bool close;
		const char *reason;
	} rows[] = {
		{ "", 400, false, "empty" },
		{ "#2", 505, true, "version" },
		{ "0#2", 505, true, "version" },
		{ "2#2", 505, true, "version" },
		{ "01#2", 505, true, "version" },
		{ "11#2", 505, true, "version" },
		{ "1 #2", 505, true, "version" },
		{ "%31#2", 505, true, "version" },
		{ "GET / HTTP/1.1", 505, true, "version" },
		{ "\x16\x03\x01\x02", 505, true, "version" },
		{ "1", 400, false, "the verb is missing" },
		{ "1#", 400, false, "not a number" },
		{ "1#0", 400, false, "not a number" },
		{ "1#02", 400, false, "not a number" },
		{ "1#-1", 400, false, "not a number" },
		{ "1#+2", 400, false, "not a number" },
		{ "1# 2", 400, false, "not a number" },
		{ "1#2 ", 400, false, "not a number" },
		{ "1#list", 400, false, "not a number" },
		{ "1#%32", 400, false, "not a number" },
		{ "1#14", 501, false, "unknown verb" },
		{ "1#100", 501, false, "unknown verb" },
		{ "1#4294967298", 501, false, "unknown verb" },
		{ "1#18446744073709551618", 501, false, "unknown verb" },
		{ "1#99999999999999999999999999999999", 501, false,
			"unknown verb" },
		{ "1#5", 400, false, "run needs a command" },
		{ "1#5##x", 400, false, "run needs a command" },
		{ "1#5#x#a%0", 400, false, "bad encoding in argument 1" },
		{ "1#5#x#a#b=%00", 400, false, "bad encoding in argument 2" },
		{ "1#5#x#1#2#3#4#5#6#7#8#9#10#11#12#13#14", 413, true,
			"at most 16 fields" },
		/*
		 * chunks of standard input, although no request `run` waits for
		 * input
		 */
		{ "1#101#0#5", 400, true, "no run" },
		{ "1#101#0#0", 400, true, "no run" },
		{ "1#101", 400, true, "no run" },
		{ "1#101 #0#5", 400, true, "no run" },
		{ "1#101x", 400, true, "no run" },
		{ "1#101#0#5\x01", 400, true, "no run" },
		{ "1#1010", 501, false, "unknown verb" },
		/* lines with malformed encoding */
		{ "1#2#name=%", 400, false, "name= needs" },
		{ "1#2#name=%4", 400, false, "name= needs" },
		{ "1#2#name=%GG", 400, false, "name= needs" },
		{ "1#2#name=%00", 400, false, "name= needs" },
		{ "1#3#%", 400, false, "encoding" },
		{ "1#3#%4", 400, false, "encoding" },
		{ "1#3#%GG", 400, false, "encoding" },
		{ "1#3#%00", 400, false, "encoding" },
		{ "1#3#a%00#dry-run", 400, false, "encoding" },
		{ "1#2#name=a\tb", 400, false, "control byte" },
		{ "1#3#a\x1b", 400, false, "control byte" },
		{ "1#2\r", 400, false, "control byte" },
		/* lines with too few or too many fields */
		{ "1#3", 400, false, "kill needs a name" },
		{ "1#3#", 400, false, "kill needs a name" },
		{ "1#3##dry-run", 400, false, "kill needs a name" },
		{ "1#2#", 400, false, "list does not take ''" },
		{ "1#2#firefox", 400, false, "list does not take 'firefox'" },
		{ "1#4#", 400, false, "ping does not take ''" },
		{ "1#4#dry-run", 400, false, "ping does not take" },
		{ "1#2#dry-run", 400, false, "list does not take" },
		{ "1#2#Name=x", 400, false, "does not take 'Name'" },
		{ "1#2#%6Eame=x", 400, false, "does not take '%6Eame'" },
		{ "1#2#name =x", 400, false, "does not take" },
		{ "1#2#nam=x", 400, false, "does not take" },
		{ "1#2#names=x", 400, false, "does not take" },
		{ "1#2#=x", 400, false, "does not take ''" },
		{ "1#2#mode=halt", 400, false, "list does not take 'mode'" },
		{ "1#1#signal=KILL", 400, false, "halt does not take" },
		{ "1#3#x#name=y", 400, false, "kill does not take 'name'" },
		{ "1#3#x#dry-run#", 400, false, "kill does not take ''" },
		{ "1#3#x#dry-run#dry-run", 400, false,
			"dry-run is given twice" },
		{ "1#3#x#dry-run=", 400, false, "dry-run takes no value" },
		{ "1#3#x#dry-run=no", 400, false, "dry-run takes no value" },
		{ "1#3#x#dry-ru", 400, false, "kill does not take 'dry-ru'" },
		{ "1#3#x#user=a#user=a", 400, false, "user is given twice" },
		{ "1#2#name=", 400, false, "name= needs a pattern" },
		{ "1#2#name", 400, false, "name= needs a pattern" },
		{ "1#2#user=", 400, false, "user= needs" },
		/* lines with invalid values */
		{ "1#3#x#signal=", 400, false, "signal= needs" },
		{ "1#3#x#signal=0", 400, false, "signal= needs" },
		{ "1#3#x#signal=-1", 400, false, "signal= needs" },
		{ "1#3#x#signal=65", 400, false, "signal= needs" },
		{ "1#3#x#signal=NONE", 400, false, "signal= needs" },
		{ "1#3#x#escalate=0", 400, false, "escalate= needs" },
		{ "1#3#x#escalate=KILL#wait=0", 400, false,
			"needs a wait= above 0" },
		{ "1#3#x#wait=601", 400, false, "wait= needs seconds" },
		{ "1#3#x#wait=-1", 400, false, "wait= needs seconds" },
		{ "1#3#x#wait=-0", 400, false, "wait= needs seconds" },
		{ "1#3#x#wait=1.5", 400, false, "wait= needs seconds" },
		{ "1#3#x#wait= 1", 400, false, "wait= needs seconds" },
		{ "1#3#x#wait=99999999999999999999", 400, false,
			"wait= needs seconds" },
		{ "1#3#x#only=", 400, false, "only= needs tokens" },
		{ "1#3#x#only=,", 400, false, "only= needs tokens" },
		{ "1#3#x#only=" TOKEN ",", 400, false, "only= needs tokens" },
		{ "1#3#x#only=," TOKEN, 400, false, "only= needs tokens" },
		{ "1#3#x#only=17", 400, false, "only= needs tokens" },
		{ "1#3#x#only=17-18", 400, false, "only= needs tokens" },
		{ "1#3#x#only=17--18", 400, false, "only= needs tokens" },
		{ "1#3#x#only=-1-2-3", 400, false, "only= needs tokens" },
		{ "1#3#x#only=1-2-3-", 400, false, "only= needs tokens" },
		{ "1#3#x#only=1-2-3-4", 400, false, "only= needs tokens" },
		{ "1#3#x#only=a-2-3", 400, false, "only= needs tokens" },
		{ "1#3#x#only=1-b-3", 400, false, "only= needs tokens" },
		{ "1#3#x#only=1-2-g", 400, false, "only= needs tokens" },
		{ "1#1#mode=", 400, false, "mode= needs halt" },
		{ "1#1#mode=Halt", 400, false, "mode= needs halt" },
		{ "1#1#mode=off", 400, false, "mode= needs halt" },
		{ "1#1#when=", 400, false, "when= needs now" },
		{ "1#1#when=NOW", 400, false, "when= needs now" },
		{ "1#1#when=5", 400, false, "when= needs now" },
		{ "1#1#when=+", 400, false, "when= needs now" },
		{ "1#1#when=+-5", 400, false, "when= needs now" },
		{ "1#1#when=++5", 400, false, "when= needs now" },
		{ "1#1#when=+ 5", 400, false, "when= needs now" },
		{ "1#1#when=+10081", 400, false, "when= needs now" },
		{ "1#1#when=24:00", 400, false, "when= needs now" },
		{ "1#1#when=12:60", 400, false, "when= needs now" },
		{ "1#1#when=1:00", 400, false, "when= needs now" },
		{ "1#1#when=12:0", 400, false, "when= needs now" },
		{ "1#1#when=12:000", 400, false, "when= needs now" },
		{ "1#1#when=1a:00", 400, false, "when= needs now" },
		{ "1#1#when=12-00", 400, false, "when= needs now" },
		{ "1#1#when=-r", 400, false, "when= needs now" },
		{ "1#1#message=", 400, false, "message= needs" },
		{ "1#1#message=-r", 400, false, "message= needs" },
		{ "1#1#message=%2Dr", 400, false, "message= needs" },
		{ "1#1#message=a%0Ab", 400, false, "message= needs" },
		{ "1#1#message=a%1B[m", 400, false, "message= needs" },
		{ "1#1#message=\xff", 400, false, "message= needs" },
		{ "1#1#message=%E2%80%AE", 400, false, "message= needs" },
		/* malformed requests of explain */
		{ "1#12", 400, false, "explain needs" },
		{ "1#12#", 400, false, "not a number" },
		{ "1#12#list", 400, false, "not a number" },
		{ "1#12#12#2", 400, false, "cannot explain itself" },
		{ "1#12#14", 501, false, "unknown verb" },
		{ "1#12#3", 400, false, "kill needs a name" },
		{ "1#12#2#x", 400, false, "list does not take 'x'" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++)
		expect(parse(rows[i].line), rows[i].line, rows[i].code,
			rows[i].close, rows[i].reason);
}

static void
test_nul(void **state)
{
	(void)state;
	expect(parse_bytes("1#3#a\0b", 7, true), "NUL", 400, false,
		"control byte");
	expect(parse_bytes("1#2\0", 4, true), "NUL", 400, false,
		"control byte");
	expect(parse_bytes("\0", 1, true), "NUL", 505, true, "version");
}

/*
 * Test that the reason of an error quotes only the start of the input, and
 * escapes unsafe bytes.
 */
static void
test_reason_is_safe(void **state)
{
	char line[512] = "1#2#";
	const struct parsed *p;
	size_t i;

	(void)state;
	for (i = 0; i < 100; i++)
		strcat(line, "\xff\x7f");
	p = parse(line);
	expect(p, line, 400, false, "'\\xff\\x7f");
	assert_true(strlen(p->error.reason) < REQUEST_REASON_MAX);
	for (i = 0; p->error.reason[i] != '\0'; i++)
		assert_in_range(p->error.reason[i], 0x20, 0x7e);
}

/* Test that a line without LF is refused if its verb changes something. */
static void
test_cut_short(void **state)
{
	static const struct {
		const char *line;
		bool good;
	} rows[] = { { "1#1", false }, { "1#1#dry-run", false },
		{ "1#3#firefox", false }, { "1#3#firefox#dry-run", false },
		{ "1#6", false }, { "1#2", true }, { "1#2#name=x", true },
		{ "1#4", true }, { "1#7", true }, { "1#11", true },
		{ "1#12#3#x", true }, { "1#12#1", true } };
	const struct parsed *p;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		p = parse_bytes(rows[i].line, strlen(rows[i].line), false);
		if (rows[i].good)
			assert_int_equal(p->result, 0);
		else
			expect(p, rows[i].line, 400, false, "cut short");
	}
}

/*
 * Test that a truncated line of a dry run is never accepted. Without the word
 * dry-run at its end, the line would be a real request.
 */
static void
test_every_prefix(void **state)
{
	static const char *const lines[] = { "1#3#firefox#dry-run",
		"1#1#dry-run", "1#1#mode=reboot#when=+5#dry-run" };
	const struct parsed *p;
	size_t i, len;

	(void)state;
	for (i = 0; i < LENGTH(lines); i++) {
		for (len = 0; len <= strlen(lines[i]); len++) {
			p = parse_bytes(lines[i], len, false);
			assert_int_equal(p->result, -1);
		}
	}
}

static void
test_line_length(void **state)
{
	char line[WIRE_LINE_MAX + 2] = "1#3#";
	const struct parsed *p;

	(void)state;
	memset(line + 4, 'x', sizeof(line) - 4);
	p = parse_bytes(line, WIRE_LINE_MAX, true);
	assert_int_equal(p->result, 0);
	assert_int_equal(
		strlen(p->request.strings[REQUEST_NAME]), WIRE_LINE_MAX - 4);
	expect(parse_bytes(line, WIRE_LINE_MAX + 1, true), "4097", 413, true,
		"4096 bytes");
	expect(parse_bytes(line, WIRE_LINE_MAX + 2, false), "4098", 413, true,
		"4096 bytes");
}

static void
test_field_count(void **state)
{
	char line[64] = "1#2";
	size_t i;

	(void)state;
	for (i = 2; i < WIRE_FIELDS_MAX; i++)
		strcat(line, "#x");
	expect(parse(line), "16 fields", 400, false, "does not take 'x'");
	strcat(line, "#x");
	expect(parse(line), "17 fields", 413, true, "16 fields");
}

static void
test_message_length(void **state)
{
	char message[REQUEST_MESSAGE_MAX + 2];

	(void)state;
	memset(message, 'x', sizeof(message));
	message[REQUEST_MESSAGE_MAX + 1] = '\0';
	assert_false(request_string_valid(REQUEST_MESSAGE, message));
	message[REQUEST_MESSAGE_MAX] = '\0';
	assert_true(request_string_valid(REQUEST_MESSAGE, message));
	/*
	 * The limit counts bytes, and an incomplete character at the end is not
	 * valid.
	 */
	memcpy(message + REQUEST_MESSAGE_MAX - 3, "\xe4\xbd\xa0", 3);
	assert_true(request_string_valid(REQUEST_MESSAGE, message));
	memcpy(message + REQUEST_MESSAGE_MAX - 2, "\xe4\xbd", 2);
	assert_false(request_string_valid(REQUEST_MESSAGE, message));
}

/*
 * Test that request_valid() refuses each invalid value, including values that
 * request_parse() never returns.
 */
static void
test_validity(void **state)
{
	char name[WIRE_LINE_MAX + 2], user[258];
	struct request good[] = { { 0 }, { 0 }, { 0 } }, r;
	size_t i;

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	memset(user, 'x', sizeof(user));
	user[sizeof(user) - 1] = '\0';
	request_init(&good[0], VERB_KILL);
	good[0].strings[REQUEST_NAME] = "x";
	request_init(&good[1], VERB_HALT);
	request_init(&good[2], VERB_LIST);
	for (i = 0; i < LENGTH(good); i++)
		assert_true(request_valid(&good[i]));

#define REJECT(of, change)                                \
	do {                                              \
		r = good[of];                             \
		change;                                   \
		if (request_valid(&r))                    \
			fail_msg("%s is valid", #change); \
	} while (0)
	REJECT(0, r.verb = (enum verb_number)0);
	REJECT(0, r.verb = (enum verb_number)14);
	REJECT(0, r.verb = (enum verb_number) - 1);
	REJECT(2, r.verb = VERB_RUN);
	REJECT(2, r.verb = VERB_EXPLAIN);
	REJECT(0, r.strings[REQUEST_NAME] = NULL);
	REJECT(0, r.strings[REQUEST_NAME] = "");
	REJECT(0, r.strings[REQUEST_NAME] = name);
	REJECT(0, r.strings[REQUEST_USER] = user);
	REJECT(0, r.strings[REQUEST_USER] = "");
	REJECT(0, r.strings[REQUEST_ONLY] = "1-2");
	REJECT(0, r.strings[REQUEST_WHEN] = "now");
	REJECT(0, r.strings[REQUEST_MESSAGE] = "x");
	REJECT(0, r.signal = 0);
	REJECT(0, r.signal = -1);
	REJECT(0, r.signal = 65);
	REJECT(0, r.escalate = -1);
	REJECT(0, r.escalate = 65);
	REJECT(0, r.escalate = 9);
	REJECT(0, (r.escalate = 65, r.wait = 1));
	REJECT(0, r.wait = REQUEST_WAIT_MAX + 1);
	REJECT(1, r.strings[REQUEST_WHEN] = NULL);
	REJECT(1, r.strings[REQUEST_WHEN] = "-r");
	REJECT(1, r.strings[REQUEST_MESSAGE] = "-r");
	REJECT(1, r.strings[REQUEST_NAME] = "x");
	REJECT(1, r.mode = -1);
	REJECT(1, r.mode = HALT_MODES);
	REJECT(2, r.dry_run = true);
	REJECT(2, r.strings[REQUEST_ONLY] = TOKEN);
	REJECT(2, r.strings[REQUEST_WHEN] = "now");
#undef REJECT
}

/* Test request_arguments(), which gives the text for the log. */
static void
test_arguments(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_adds(&b, "args=");
	request_arguments(parse_good("1#12#3#a%0Ab#signal=9#dry-run"), &b);
	assert_string_equal(buf_str(&b), "args=a%0Ab#dry-run#signal=KILL");
	buf_reset(&b);
	request_arguments(parse_good("1#2"), &b);
	request_arguments(parse_good("1#1#when=now"), &b);
	assert_string_equal(buf_str(&b), "");
	request_arguments(parse_good("1#1#dry-run"), &b);
	assert_string_equal(buf_str(&b), "dry-run");
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_kill_in_full),
		cmocka_unit_test(test_bare_requests),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_reason_is_safe),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_line_length),
		cmocka_unit_test(test_field_count),
		cmocka_unit_test(test_message_length),
		cmocka_unit_test(test_validity),
		cmocka_unit_test(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
