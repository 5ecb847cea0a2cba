#include "text.h"

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

/*
 * Encode any number with the table in section 3 of RFC 3629. Return the length.
 */
static size_t
encode(uint32_t c, char s[4])
{
	if (c < 0x80) {
		s[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		s[0] = (char)(0xc0 | c >> 6);
		s[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		s[0] = (char)(0xe0 | c >> 12);
		s[1] = (char)(0x80 | (c >> 6 & 0x3f));
		s[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	s[0] = (char)(0xf0 | c >> 18);
	s[1] = (char)(0x80 | (c >> 12 & 0x3f));
	s[2] = (char)(0x80 | (c >> 6 & 0x3f));
	s[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/*
 * Test the encodings of all numbers, including numbers that are not characters.
 */
static void
test_utf8_characters(void **state)
{
	uint32_t c, got;
	char s[4];
	size_t n, cut;
	bool real;

	(void)state;
	for (c = 0; c < 0x200000; c++) {
		n = encode(c, s);
		real = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
		got = 0xffffffff;
		if (text_utf8(s, n, &got) != (real ? n : 0) ||
			(real && got != c))
			fail_msg("U+%04X is taken for %#x", c, got);
		for (cut = 0; cut < n; cut++)
			if (text_utf8(s, cut, &got) != 0)
				fail_msg("U+%04X is complete too soon", c);
	}
}

static void
test_utf8_mistakes(void **state)
{
	static const char *const bad[] = { "\x80", "\xbf", "\xc0\x80",
		"\xc0\xaf", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x80\xaf",
		"\xe0\x9f\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfe", "\xff",
		"\xc3(", "\xe2(\xa1", "\xe2\x82(", "\xf0(\x8c\xbc",
		"\xf0\x90(\xbc", "\xf0\x9f\x98(", "\xc3\xc3" };
	uint32_t code;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(bad); i++)
		if (text_utf8(bad[i], strlen(bad[i]), &code) != 0)
			fail_msg("mistake %zu is taken for a character", i);
}

/* Test that only the first character of a text is decoded. */
static void
test_utf8_first_of_many(void **state)
{
	uint32_t code;

	(void)state;
	assert_int_equal(text_utf8("\xe4\xbd\xa0\xff", 4, &code), 3);
	assert_int_equal(code, 0x4f60);
	assert_int_equal(text_utf8("a\xff", 2, &code), 1);
	assert_int_equal(text_utf8("\0a", 2, &code), 1);
	assert_int_equal(code, 0);
}

/*
 * Test that the message names the first bad character. Joiners in emoji and in
 * Persian must be allowed.
 */
static void
test_prose(void **state)
{
	static const struct {
		const char *text;
		const char *problem;
	} rows[] = { { "back soon", "" }, { "", "" },
		{ "\u2764\ufe0f", "" }, /* a heart with a variation selector */
		{ "\U0001f469\u200d\U0001f467", "" },
		{ "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "" },
		{ "\u845b\U000e0100", "" }, { "\u1820\u180b", "" },
		{ "a\u202eb", ", not U+202E (RIGHT-TO-LEFT OVERRIDE)" },
		{ "\u200f", ", not U+200F (RIGHT-TO-LEFT MARK)" },
		{ "\u061c", ", not U+061C (ARABIC LETTER MARK)" },
		{ "\u202c", ", not U+202C (POP DIRECTIONAL FORMATTING)" },
		{ "\u2066\u202e", ", not U+2066 (LEFT-TO-RIGHT ISOLATE)" },
		{ "\u200b", ", not U+200B" }, { "\x1b[m", ", not U+001B" },
		{ "\xff", ", not the byte 0xFF" } };
	char problem[TEXT_PROBLEM_SIZE];
	struct buf out = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(text_is_prose(rows[i].text,
					 strlen(rows[i].text), problem),
			*rows[i].problem == '\0');
		assert_string_equal(problem, rows[i].problem);
		buf_reset(&out);
		text_safe_prose(&out, rows[i].text, strlen(rows[i].text));
		assert_int_equal(strcmp(buf_str(&out), rows[i].text) == 0,
			*rows[i].problem == '\0');
	}
	buf_free(&out);
}

static void
test_unsafe(void **state)
{
	static const struct {
		uint32_t first, last;
		bool unsafe;
	} ranges[] = {
		{ 0x00, 0x1f, true },        /* C0 controls */
		{ 0x20, 0x7e, false },       /* ASCII */
		{ 0x7f, 0x9f, true },        /* DEL and C1 controls */
		{ 0xa0, 0xac, false },       /* Latin-1 */
		{ 0xad, 0xad, true },        /* soft hyphen */
		{ 0xae, 0x34e, false },      /* Latin */
		{ 0x61c, 0x61c, true },      /* Arabic letter mark */
		{ 0x2010, 0x2027, false },   /* dashes, quotes */
		{ 0x200b, 0x200f, true },    /* zero-width, LRM, RLM */
		{ 0x2028, 0x202e, true },    /* separators, bidirectional */
		{ 0x2060, 0x2064, true },    /* word joiner and others */
		{ 0x2066, 0x2069, true },    /* direction isolates */
		{ 0x4e00, 0x9fff, false },   /* Chinese */
		{ 0xfeff, 0xfeff, true },    /* byte order mark */
		{ 0x1bca0, 0x1bca3, true },  /* shorthand, zero width */
		{ 0x13430, 0x13438, true },  /* hieroglyph joiners */
		{ 0x1f600, 0x1f64f, false }, /* emoji */
		{ 0xe0001, 0xe007f, true },  /* tag characters */
	};
	uint32_t c;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(ranges); i++)
		for (c = ranges[i].first; c <= ranges[i].last; c++)
			if (text_unsafe(c) != ranges[i].unsafe)
				fail_msg("U+%04X", c);
}

static void
test_safe(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} rows[] = {
		{ "", 0, "" },
		{ "plain # % =", 11, "plain # % =" },
		{ "a\nb\0c", 5, "a\\x0ab\\x00c" },
		{ "\x1b[31m", 5, "\\x1b[31m" },
		{ "\x7f", 1, "\\x7f" },
		{ "\xc2\x9b"
		  "1m",
			4, "\\u{009b}1m" },
		{ "\xe4\xbd\xa0", 3, "\xe4\xbd\xa0" },
		{ "\xe4\xbd", 2, "\\xe4\\xbd" },
		{ "\xff\xfe", 2, "\\xff\\xfe" },
		{ "\xe2\x80\xae"
		  "x",
			4, "\\u{202e}x" },
		{ "\xf3\xa0\x80\x81", 4, "\\u{e0001}" },
	};
	struct buf b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		buf_reset(&b);
		text_safe(&b, rows[i].in, rows[i].len);
		assert_string_equal(buf_str(&b), rows[i].out);
	}
	buf_free(&b);
}

/* Test that no byte of the quoted text ends the quotation. */
static void
test_quoted(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} rows[] = {
		{ "", 0, "" },
		{ "plain", 5, "plain" },
		{ "a\"b", 3, "a\\\"b" },
		{ "\"", 1, "\\\"" },
		{ "\\\"", 2, "\\\\\\\"" },
		{ "x\\", 2, "x\\\\" },
		{ "\n\xff\"\0", 4, "\\x0a\\xff\\\"\\x00" },
		{ "\xe4\xbd\xa0\"", 4, "\xe4\xbd\xa0\\\"" },
	};
	struct buf b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		buf_reset(&b);
		text_quoted(&b, rows[i].in, rows[i].len);
		assert_string_equal(buf_str(&b), rows[i].out);
	}
	buf_free(&b);
}

/* Test that text_safe() gives only safe characters for any bytes. */
static void
test_safe_whatever(void **state)
{
	struct buf b = { 0 };
	char in[64];
	uint32_t code;
	size_t i, n, round;

	(void)state;
	srandom(1);
	for (round = 0; round < 2000; round++) {
		for (i = 0; i < sizeof(in); i++)
			in[i] = (char)random();
		buf_reset(&b);
		text_safe(&b, in, sizeof(in));
		for (i = 0; i < b.len; i += n) {
			n = text_utf8(b.data + i, b.len - i, &code);
			assert_true(n > 0);
			assert_false(text_unsafe(code));
		}
	}
	buf_free(&b);
}

static void
test_numbers(void **state)
{
	static const struct {
		const char *s;
		long min, max;
		bool good;
		long value;
	} rows[] = {
		{ "0", 0, 10, true, 0 },
		{ "10", 0, 10, true, 10 },
		{ "11", 0, 10, false, 0 },
		{ "007", 0, 10, true, 7 },
		{ "-1", -1, 10, true, -1 },
		{ "-2", -1, 10, false, 0 },
		{ "-1", 0, 10, false, 0 },
		{ "-0", 0, 10, false, 0 },
		{ "9223372036854775807", 0, LONG_MAX, true, LONG_MAX },
		{ "9223372036854775808", 0, LONG_MAX, false, 0 },
		{ "-9223372036854775808", LONG_MIN, 0, true, LONG_MIN },
		{ "-9223372036854775809", LONG_MIN, 0, false, 0 },
		{ "99999999999999999999999999", 0, LONG_MAX, false, 0 },
		{ "", 0, 10, false, 0 },
		{ "-", -10, 10, false, 0 },
		{ "--1", -10, 10, false, 0 },
		{ "+1", 0, 10, false, 0 },
		{ " 1", 0, 10, false, 0 },
		{ "1 ", 0, 10, false, 0 },
		{ "1x", 0, 10, false, 0 },
		{ "0x1", 0, 10, false, 0 },
		{ "1.0", 0, 10, false, 0 },
		{ "\n1", 0, 10, false, 0 },
		{ "\xb2", 0, 10, false, 0 },
	};
	size_t i;
	long v;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		v = 4711;
		if ((text_number(rows[i].s, rows[i].min, rows[i].max, &v) ==
			    0) != rows[i].good)
			fail_msg("\"%s\"", rows[i].s);
		assert_int_equal(v, rows[i].good ? rows[i].value : 4711);
	}
}

static void
test_signals(void **state)
{
	static const struct {
		const char *s;
		int number;
	} rows[] = { { "TERM", SIGTERM }, { "SIGTERM", SIGTERM },
		{ "term", SIGTERM }, { "sigKill", SIGKILL }, { "15", 15 },
		{ "1", 1 }, { "64", 64 }, { "RTMIN", 34 }, { "RTMIN+1", 35 },
		{ "SIGRTMIN+30", 64 }, { "rtmax", 64 }, { "RTMAX-1", 63 },
		{ "RTMAX-30", 34 }, { "0", -1 }, { "65", -1 }, { "-9", -1 },
		{ "+9", -1 }, { "", -1 }, { "SIG", -1 }, { "SIGSIGHUP", -1 },
		{ "TERM ", -1 }, { " TERM", -1 }, { "SIG9", -1 },
		{ "RTMIN+0", -1 }, { "RTMIN+31", -1 }, { "RTMIN-1", -1 },
		{ "RTMAX+1", -1 }, { "RTMAX-31", -1 }, { "RTMIN+", -1 },
		{ "EXIT", -1 }, { "32", 32 }, { "33", 33 },
		{ "9999999999999999999", -1 } };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++)
		if (text_signal(rows[i].s) != rows[i].number)
			fail_msg("\"%s\" is %d", rows[i].s,
				text_signal(rows[i].s));
}

/*
 * Test that text_signal() gives the number of each name from
 * text_signal_name().
 */
static void
test_signal_names(void **state)
{
	int sig;

	(void)state;
	for (sig = 1; sig <= SIGRTMAX; sig++)
		assert_int_equal(text_signal(text_signal_name(sig)), sig);
	assert_string_equal(text_signal_name(SIGKILL), "KILL");
	assert_string_equal(text_signal_name(SIGRTMIN), "RTMIN");
	assert_string_equal(text_signal_name(SIGRTMIN + 2), "RTMIN+2");
	/*
	 * A signal without a name is shown as its number. The C library
	 * reserves 32 for itself, and the other numbers are not signals.
	 */
	assert_string_equal(text_signal_name(32), "32");
	assert_string_equal(text_signal_name(0), "0");
	assert_string_equal(text_signal_name(-1), "-1");
	assert_string_equal(text_signal_name(65), "65");
	assert_string_equal(text_signal_name(INT_MAX), "2147483647");
}

static void
test_nearest(void **state)
{
	static const char *const words[] = { "list", "kill", "poweroff",
		"reboot", "allow", NULL };
	static const struct {
		const char *s;
		const char *near;
	} rows[] = { { "list", "list" }, { "lits", "list" }, { "lst", "list" },
		{ "lisst", "list" }, { "kil", "kill" }, { "kull", "kill" },
		{ "power", NULL }, { "poweron", "poweroff" },
		{ "powerof", "poweroff" }, { "pwoeroff", "poweroff" },
		{ "rebot", "reboot" }, { "alow", "allow" }, { "", NULL },
		{ "x", NULL }, { "li", NULL },
		{ "a word that is longer than all that we know", NULL } };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		const char *near = text_nearest(rows[i].s, words);

		if (near != rows[i].near &&
			(near == NULL || rows[i].near == NULL ||
				strcmp(near, rows[i].near) != 0))
			fail_msg("%s: %s", rows[i].s, near ? near : "none");
	}
	assert_null(text_nearest("list", words + LENGTH(words) - 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8_characters),
		cmocka_unit_test(test_utf8_mistakes),
		cmocka_unit_test(test_utf8_first_of_many),
		cmocka_unit_test(test_prose),
		cmocka_unit_test(test_unsafe),
		cmocka_unit_test(test_safe),
		cmocka_unit_test(test_quoted),
		cmocka_unit_test(test_safe_whatever),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_signal_names),
		cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
