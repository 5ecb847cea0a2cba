#include "feed.h"

#include "fd.h"
#include "wire.h"

#include <fcntl.h>
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

static int
begin(struct feed *f, uint64_t most)
{
	int pipes[2];

	assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	feed_open(f, pipes[1], most);
	return pipes[0];
}

/* What arrived; whether the end did too stands in *ended. */
static void
expect(int reader, const char *text, bool ended)
{
	char got[256];
	ssize_t n = read(reader, got, sizeof(got) - 1), end;

	if (n <= 0) {
		end = n;
		n = 0;
	} else {
		end = read(reader, got + n, 1);
	}
	got[n] = '\0';
	assert_string_equal(got, text);
	assert_int_equal(end == 0, ended);
}

static const struct {
	const char *in;
	bool eof;
	const char *out;
	size_t used;
	bool ended; /* the command sees an end */
	int cut;
} rows[] = {
	{ "", false, "", 0, false, 0 },
	{ "", true, "", 0, true, 0 },
	{ "1#101#0#3\nabc", false, "abc", 13, false, 0 },
	{ "1#101#0#3\r\nabc1#101#0#0\r\n", false, "abc", 25, true, 0 },
	{ "1#101#0#3\nabc1#101#0#0\n1#4\n", true, "abc", 23, true, 0 },
	{ "1#101#0#3\nabc1#4\n", false, "abc", 13, true, 0 },
	{ "1#101#0#3\nabcd", false, "abc", 14, false, CODE_MALFORMED },
	{ "1#101#0#3\nabc\n1#4\n", false, "abc", 18, false, CODE_MALFORMED },
	{ "1#101#0#3\nabc1#", false, "abc", 13, false, 0 },
	{ "1#101#0#3\nabc1#", true, "abc", 15, false, CODE_MALFORMED },
	{ "x1#101#0#3\nabc", false, "", 0, true, 0 },
	{ "1#4\n", false, "", 0, true, 0 },
	{ "1#101#0#4\n1#4\n", false, "1#4\n", 14, false, 0 },
	/* Not whole yet. */
	{ "1#10", false, "", 0, false, 0 },
	{ "1#101#0#3\na", false, "a", 11, false, 0 },
	/* Nor ever: the pipe stays open. */
	{ "1#101#0#3\na", true, "a", 11, false, CODE_MALFORMED },
	{ "1#101#0#3\nabc", true, "abc", 13, false, CODE_MALFORMED },
	{ "1#10", true, "", 4, false, CODE_MALFORMED },
	{ "1#101#0#", true, "", 8, false, CODE_MALFORMED },
	/* Broken. */
	{ "1#101#1#3\nabc", false, "", 13, false, CODE_MALFORMED },
	{ "1#101#0#-1\n", false, "", 11, false, CODE_MALFORMED },
	{ "1#101#0#\n", false, "", 9, false, CODE_MALFORMED },
	{ "1#101#0#65537\n", false, "", 14, false, CODE_MALFORMED },
	{ "1#101#0#00000000000003\n", false, "", 23, false, CODE_MALFORMED },
	/* Eight bytes are the most here. */
	{ "1#101#0#8\n12345678", false, "12345678", 18, false, 0 },
	{ "1#101#0#9\n123456789", false, "12345678", 19, false, CODE_TOO_LONG },
	{ "1#101#0#8\n123456781#101#0#1\n9", false, "12345678", 29, false,
		CODE_TOO_LONG },
};

static void
test_rows(void **state)
{
	struct feed f;
	size_t i, used;
	int reader;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		print_message("%s\n", rows[i].in);
		reader = begin(&f, 8);
		used = feed_take(
			&f, rows[i].in, strlen(rows[i].in), rows[i].eof);
		assert_int_equal(used, rows[i].used);
		assert_int_equal(f.cut, rows[i].cut);
		expect(reader, rows[i].out, rows[i].ended);
		feed_close(&f);
		close(reader);
	}
}

/* The same, whatever pieces it comes in. */
static void
test_pieces(void **state)
{
	static const char in[] =
		"1#101#0#3\nabc1#101#0#2\r\nde1#101#0#0\n1#4\n";
	size_t piece, at, len, n = sizeof(in) - 1;
	struct feed f;
	int reader;

	(void)state;
	for (piece = 1; piece <= n; piece++) {
		reader = begin(&f, 8);
		/* What was not used up comes again, with more. */
		for (at = 0, len = 0; len < n;) {
			len = len + piece < n ? len + piece : n;
			at += feed_take(&f, in + at, len - at, false);
		}
		assert_string_equal(in + at, "1#4\n");
		assert_false(f.due);
		expect(reader, "abcde", true);
		close(reader);
	}
}

static void
test_a_full_pipe(void **state)
{
	static char in[65536 + 16];
	size_t head, used;
	struct feed f;
	int reader;

	(void)state;
	reader = begin(&f, sizeof(in));
	assert_true(fcntl(reader, F_SETPIPE_SZ, 4096) >= 4096);
	head = (size_t)snprintf(in, sizeof(in), "1#101#0#65536\n");
	memset(in + head, 'x', 65536);
	used = feed_take(&f, in, head + 65536, false);
	assert_true(f.full);
	assert_true(used < 65536);
	assert_int_equal(f.chunk, 65536 - (used - head));
	/* Nobody reads any more: the rest is used up. */
	close(reader);
	assert_int_equal(feed_take(&f, in + used, head + 65536 - used, false),
		head + 65536 - used);
	assert_false(f.full);
	assert_int_equal(f.pipe, -1);
	assert_int_equal(f.cut, 0);
	feed_close(&f);
}

static void
test_losing_the_client(void **state)
{
	struct feed f;
	int reader;

	(void)state;
	reader = begin(&f, 8);
	feed_lose(&f);
	assert_int_equal(f.cut, CODE_MALFORMED);
	expect(reader, "", false);
	feed_close(&f);
	close(reader);
	reader = begin(&f, 8);
	assert_int_equal(feed_take(&f, "1#101#0#0\n", 10, false), 10);
	feed_lose(&f);
	assert_int_equal(f.cut, 0);
	close(reader);
}

/* Whoever waits for it to become writable would wait for nothing. */
static void
test_losing_the_client_of_a_full_pipe(void **state)
{
	static char in[65536 + 16];
	struct feed f;
	size_t head;
	int reader;

	(void)state;
	reader = begin(&f, sizeof(in));
	assert_true(fcntl(reader, F_SETPIPE_SZ, 4096) >= 4096);
	head = (size_t)snprintf(in, sizeof(in), "1#101#0#65536\n");
	feed_take(&f, in, head + 65536, false);
	assert_true(f.full);
	feed_lose(&f);
	assert_false(f.full);
	assert_int_equal(f.cut, CODE_MALFORMED);
	feed_close(&f);
	close(reader);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_a_full_pipe),
		cmocka_unit_test(test_losing_the_client),
		cmocka_unit_test(test_losing_the_client_of_a_full_pipe),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
