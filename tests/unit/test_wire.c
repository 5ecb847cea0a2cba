#include "wire.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static void
test_splitting(void **state)
{
	static const struct {
		const char *line;
		size_t n;
		const char *fields[4];
	} rows[] = {
		{ "", 1, { "" } },
		{ "a", 1, { "a" } },
		{ "#", 2, { "", "" } },
		{ "1#2", 2, { "1", "2" } },
		{ "1##2", 3, { "1", "", "2" } },
		{ "1#2#", 3, { "1", "2", "" } },
		{ "##", 3, { "", "", "" } },
		{ "a=b#%23", 2, { "a=b", "%23" } },
		{ "a#b#c#d", 4, { "a", "b", "c", "d" } },
		{ "a#b#c#d#e#f", 6, { "a", "b", "c", "d" } },
	};
	struct wire_field f[5];
	char line[16];
	size_t i, k;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		strcpy(line, rows[i].line);
		memset(f, 0, sizeof(f));
		assert_int_equal(
			wire_split(line, strlen(line), f, 4), rows[i].n);
		for (k = 0; k < 4 && k < rows[i].n; k++) {
			assert_int_equal(f[k].len, strlen(rows[i].fields[k]));
			assert_memory_equal(
				f[k].s, rows[i].fields[k], f[k].len);
		}
		assert_null(f[4].s);
	}
}

static void
test_decoding(void **state)
{
	static const struct {
		const char *in;
		const char *out; /* expected text; NULL if refused */
	} rows[] = { { "", "" }, { "a b=c", "a b=c" }, { "%41", "A" },
		{ "%e4%BD%a0", "\xe4\xbd\xa0" }, { "%23%25", "#%" },
		{ "%01%0A%7F", "\x01\n\x7f" }, { "a%20", "a " },
		{ "%2541", "%41" }, { "\x7f\x80\xff", "\x7f\x80\xff" },
		{ "%", NULL }, { "%4", NULL }, { "a%4", NULL }, { "%GG", NULL },
		{ "%4G", NULL }, { "%G4", NULL }, { "%%41", NULL },
		{ "%00", NULL }, { "a%00b", NULL }, { "%-1", NULL },
		{ "% 1", NULL }, { "%+1", NULL }, { "%0x", NULL },
		{ "\t", NULL }, { "a\x1f", NULL }, { "\x1b", NULL } };
	char s[32];
	size_t i;
	ssize_t n;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		strcpy(s, rows[i].in);
		/*
		 * Put bytes behind the field. wire_decode() must not decode
		 * these bytes, but is allowed to overwrite the first byte with
		 * NUL.
		 */
		strcpy(s + strlen(s), "41");
		n = wire_decode(s, strlen(rows[i].in));
		if (rows[i].out == NULL) {
			if (n != -1)
				fail_msg("\"%s\" is taken", rows[i].in);
			continue;
		}
		assert_int_equal(n, strlen(rows[i].out));
		assert_string_equal(s, rows[i].out);
	}
}

static void
test_decoding_a_nul(void **state)
{
	char s[] = "a\0b";

	(void)state;
	assert_int_equal(wire_decode(s, 3), -1);
}

static void
test_encoding(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} rows[] = {
		{ "", 0, "" },
		{ "plain text=+-/", 14, "plain text=+-/" },
		{ "a#b%c", 5, "a%23b%25c" },
		{ "\0\x01\n\x1f\x7f", 5, "%00%01%0A%1F%7F" },
		{ "\xc2\x80\xc2\x9f\xc2\xa0", 6, "%C2%80%C2%9F\xc2\xa0" },
		{ "\xe4\xbd\xa0\xe5\xa5\xbd", 6, "\xe4\xbd\xa0\xe5\xa5\xbd" },
		{ "\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80" },
		{ "\xe4\xbd", 2, "%E4%BD" },
		{ "\xff\xc3(\xed\xa0\x80", 6, "%FF%C3(%ED%A0%80" },
		{ "\xf4\x90\x80\x80", 4, "%F4%90%80%80" },
	};
	struct buf b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		buf_reset(&b);
		wire_encode(&b, rows[i].in, rows[i].len);
		assert_string_equal(buf_str(&b), rows[i].out);
	}
	buf_free(&b);
}

static void
round_trip(const char *in, size_t len)
{
	struct buf b = { 0 };
	size_t i;

	wire_encode(&b, in, len);
	buf_str(&b);
	assert_false(b.failed);
	assert_true(b.len <= 3 * len);
	for (i = 0; i < b.len; i++)
		if ((unsigned char)b.data[i] < 0x20 || b.data[i] == '#' ||
			b.data[i] == 0x7f)
			fail_msg("byte %d is not encoded", b.data[i]);
	assert_int_equal(wire_decode(b.data, b.len), len);
	assert_memory_equal(b.data, in, len);
	buf_free(&b);
}

/*
 * Test that decoding an encoded text gives the same text. The texts are each
 * byte, each pair of bytes, and longer strings. No text contains NUL.
 */
static void
test_round_trips(void **state)
{
	char s[200];
	size_t i, n;
	int a, b;

	(void)state;
	for (a = 1; a < 256; a++) {
		s[0] = (char)a;
		round_trip(s, 1);
		for (b = 1; b < 256; b++) {
			s[1] = (char)b;
			round_trip(s, 2);
		}
	}
	srandom(2);
	for (n = 0; n < 2000; n++) {
		for (i = 0; i < sizeof(s); i++)
			s[i] = (char)(random() % 255 + 1);
		round_trip(s, n % sizeof(s));
	}
}

static void
test_lines(void **state)
{
	static const char *const names[] = { "pid", "na#me", NULL };
	struct buf b = { 0 };

	(void)state;
	wire_columns(&b, names);
	wire_record(&b);
	wire_putu(&b, ULLONG_MAX);
	wire_put(&b, "\0=", 2);
	wire_puts(&b, "");
	wire_end(&b);
	wire_status(&b, CODE_NOT_ALLOWED, "no #1 may");
	wire_pair(&b, "rule", "a=b#");
	wire_pair(&b, "id", "");
	wire_end(&b);
	assert_string_equal(buf_str(&b), "1#100#pid#na%23me\n"
					 "1#100#18446744073709551615#%00=#\n"
					 "1#403#no %231 may#rule=a=b%23#id=\n");
	buf_free(&b);
}

static void
test_code_texts(void **state)
{
	static const int codes[] = { 100, 101, 200, 202, 207, 400, 401, 403,
		404, 408, 409, 413, 429, 500, 501, 503, 505 };
	size_t i, n = 0;
	int code;

	(void)state;
	for (i = 0; i < LENGTH(codes); i++)
		assert_non_null(wire_code_text(codes[i]));
	for (code = -1; code < 1000; code++)
		n += wire_code_text(code) != NULL;
	assert_int_equal(n, LENGTH(codes));
}

static void
test_replies(void **state)
{
	static const struct {
		const char *line;
		int code; /* expected code; 0 if the line is not a reply */
		size_t nfields;
		size_t size; /* expected size of a chunk */
	} rows[] = {
		{ "1#200#done#id=1", 200, 2, 0 },
		{ "1#100#a", 100, 1, 0 },
		{ "1#100#", 100, 1, 0 },
		{ "1#100###", 100, 3, 0 },
		{ "1#999#x", 999, 1, 0 },
		{ "1#101#1#1", 101, 0, 1 },
		{ "1#101#2#65536", 101, 0, 65536 },
		{ "1#101#1#0", 0, 0, 0 },
		{ "1#101#1#65537", 0, 0, 0 },
		{ "1#101#1#99999999999999999999", 0, 0, 0 },
		{ "1#101#1#05", 0, 0, 0 },
		{ "1#101#01#5", 0, 0, 0 },
		{ "1#101#3#5", 0, 0, 0 },
		{ "1#101#1", 0, 0, 0 },
		{ "1#101#1#", 0, 0, 0 },
		{ "1#101##5", 0, 0, 0 },
		{ "1#101#1#5#", 0, 0, 0 },
		{ "1#101#1#-5", 0, 0, 0 },
		{ "1#101#1# 5", 0, 0, 0 },
		{ "1#200", 0, 0, 0 },
		{ "1#20#x", 0, 0, 0 },
		{ "1#099#x", 0, 0, 0 },
		{ "1#1000#x", 0, 0, 0 },
		{ "1#2x0#x", 0, 0, 0 },
		{ "1# 20#x", 0, 0, 0 },
		{ "2#200#x", 0, 0, 0 },
		{ "#200#x", 0, 0, 0 },
		{ "11#200#x", 0, 0, 0 },
		{ "", 0, 0, 0 },
		{ "HTTP/1.1 200 OK", 0, 0, 0 },
	};
	struct wire_reply r;
	char line[64];
	size_t i;
	int result;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		strcpy(line, rows[i].line);
		result = wire_reply(line, strlen(line), &r);
		if ((result == 0) != (rows[i].code != 0))
			fail_msg("\"%s\" gives %d", rows[i].line, result);
		if (result != 0)
			continue;
		assert_int_equal(r.code, rows[i].code);
		assert_int_equal(r.nfields, rows[i].nfields);
		assert_int_equal(r.size, rows[i].size);
	}
}

static void
test_reply_fields(void **state)
{
	char line[2 * (WIRE_COLUMNS_MAX + 1) + 8] = "1#100";
	struct wire_reply r;
	size_t i;

	(void)state;
	for (i = 0; i < WIRE_COLUMNS_MAX; i++)
		strcat(line, "#x");
	assert_int_equal(wire_reply(line, strlen(line), &r), 0);
	assert_int_equal(r.nfields, WIRE_COLUMNS_MAX);
	for (i = 0; i < r.nfields; i++) {
		assert_int_equal(r.fields[i].len, 1);
		assert_int_equal(r.fields[i].s[0], 'x');
	}
	strcat(line, "#x");
	assert_int_equal(wire_reply(line, strlen(line), &r), -1);
}

/*
 * Test that wire_reply() reads a line that wire_status() and wire_pair() have
 * written.
 */
static void
test_reply_of_our_own(void **state)
{
	struct buf b = { 0 };
	struct wire_reply r;

	(void)state;
	wire_status(&b, CODE_PARTLY, "2 of 3");
	wire_pair(&b, "id", "8a-1");
	assert_int_equal(wire_reply(b.data, b.len, &r), 0);
	assert_int_equal(r.code, CODE_PARTLY);
	assert_int_equal(r.nfields, 2);
	assert_int_equal(r.fields[0].len, 6);
	assert_memory_equal(r.fields[0].s, "2 of 3", 6);
	assert_memory_equal(r.fields[1].s, "id=8a-1", 7);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_splitting),
		cmocka_unit_test(test_decoding),
		cmocka_unit_test(test_decoding_a_nul),
		cmocka_unit_test(test_encoding),
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_code_texts),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_reply_fields),
		cmocka_unit_test(test_reply_of_our_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
