#include "stdin_relay.h"

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
begin(struct stdin_relay *f, uint64_t most)
{
	int pipes[2];

	assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	stdin_relay_open(f, pipes[1], most);
	return pipes[0];
}

/*
 * Fail unless this text has arrived. If `ended` is true, the end of file must
 * follow the text. If `ended` is false, the end of file must not follow.
 */
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
	bool ended; /* true if an end of file follows `out` */
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
	{ "1#4\n", false, "", 0, true, 0 },
	{ "1#4", true, "", 0, true, 0 },
	{ "1#5#cat#x\r\n", false, "", 0, true, 0 },
	{ "1#101#0#4\n1#4\n", false, "1#4\n", 14, false, 0 },
	/* incomplete input, whose rest may still arrive */
	{ "1#10", false, "", 0, false, 0 },
	{ "1#101#0#3\na", false, "a", 11, false, 0 },
	{ "1#4", false, "", 0, false, 0 },
	{ "1#101#0#3\nabc1#4", false, "abc", 13, false, 0 },
	/*
	 * incomplete input from a client that has ended its side: the command
	 * must not read an end of file
	 */
	{ "1#101#0#3\na", true, "a", 11, false, CODE_MALFORMED },
	{ "1#101#0#3\nabc", true, "abc", 13, false, CODE_MALFORMED },
	{ "1#10", true, "", 4, false, CODE_MALFORMED },
	{ "1#101#0#", true, "", 8, false, CODE_MALFORMED },
	/*
	 * lines that are similar to a chunk's header or a request, but do not
	 * end the input
	 */
	{ "x1#101#0#3\nabc", false, "", 14, false, CODE_MALFORMED },
	{ "1#101\n", false, "", 6, false, CODE_MALFORMED },
	{ "1#101 #0#0\n", false, "", 11, false, CODE_MALFORMED },
	{ "1#0\n", false, "", 4, false, CODE_MALFORMED },
	{ "1#04\n", false, "", 5, false, CODE_MALFORMED },
	{ "1#1010#0#3\n", false, "", 11, false, CODE_MALFORMED },
	{ "1#10\n", false, "", 5, false, CODE_MALFORMED },
	{ "1#4#x\n", false, "", 6, false, CODE_MALFORMED },
	{ "1#3#x", true, "", 5, false, CODE_MALFORMED },
	{ "\n1#4\n", false, "", 5, false, CODE_MALFORMED },
	{ "1#101#0#3\nabc1#101 #0#0\n", false, "abc", 24, false,
		CODE_MALFORMED },
	{ "1#101#0#3\nabc1#101\n", false, "abc", 19, false, CODE_MALFORMED },
	/* malformed headers of chunks */
	{ "1#101#1#3\nabc", false, "", 13, false, CODE_MALFORMED },
	{ "1#101#0#-1\n", false, "", 11, false, CODE_MALFORMED },
	{ "1#101#0#\n", false, "", 9, false, CODE_MALFORMED },
	{ "1#101#0#65537\n", false, "", 14, false, CODE_MALFORMED },
	{ "1#101#0#00000000000003\n", false, "", 23, false, CODE_MALFORMED },
	{ "1#101#0#03\nabc", false, "", 14, false, CODE_MALFORMED },
	{ "1#101#0#00\n", false, "", 11, false, CODE_MALFORMED },
	{ "1#101#00#3\nabc", false, "", 14, false, CODE_MALFORMED },
	/* input at the limit of 8 bytes, and above the limit */
	{ "1#101#0#8\n12345678", false, "12345678", 18, false, 0 },
	{ "1#101#0#9\n123456789", false, "12345678", 19, false, CODE_TOO_LONG },
	{ "1#101#0#8\n123456781#101#0#1\n9", false, "12345678", 29, false,
		CODE_TOO_LONG },
};

static void
test_rows(void **state)
{
	struct stdin_relay f;
	size_t i, used;
	int reader;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		print_message("%s\n", rows[i].in);
		reader = begin(&f, 8);
		used = stdin_relay_take(
			&f, rows[i].in, strlen(rows[i].in), rows[i].eof);
		assert_int_equal(used, rows[i].used);
		assert_int_equal(f.cut, rows[i].cut);
		expect(reader, rows[i].out, rows[i].ended);
		stdin_relay_close(&f);
		close(reader);
	}
}

/* Test an input that arrives in pieces. Try each size of the pieces. */
static void
test_pieces(void **state)
{
	static const char in[] =
		"1#101#0#3\nabc1#101#0#2\r\nde1#101#0#0\n1#4\n";
	size_t piece, at, len, n = sizeof(in) - 1;
	struct stdin_relay f;
	int reader;

	(void)state;
	for (piece = 1; piece <= n; piece++) {
		reader = begin(&f, 8);
		/*
		 * Each call gets the bytes that no earlier call has used, and
		 * after these bytes the next piece.
		 */
		for (at = 0, len = 0; len < n;) {
			len = len + piece < n ? len + piece : n;
			at += stdin_relay_take(&f, in + at, len - at, false);
		}
		assert_string_equal(in + at, "1#4\n");
		assert_false(f.more_chunks);
		expect(reader, "abcde", true);
		close(reader);
	}
}

static void
test_a_full_pipe(void **state)
{
	static char in[65536 + 16];
	size_t head, used;
	struct stdin_relay f;
	int reader;

	(void)state;
	reader = begin(&f, sizeof(in));
	assert_true(fcntl(reader, F_SETPIPE_SZ, 4096) >= 4096);
	head = (size_t)snprintf(in, sizeof(in), "1#101#0#65536\n");
	memset(in + head, 'x', 65536);
	used = stdin_relay_take(&f, in, head + 65536, false);
	assert_true(f.full);
	assert_true(used < 65536);
	assert_int_equal(f.chunk, 65536 - (used - head));
	/*
	 * Once the command has closed its input, the rest of the input is
	 * discarded.
	 */
	close(reader);
	assert_int_equal(
		stdin_relay_take(&f, in + used, head + 65536 - used, false),
		head + 65536 - used);
	assert_false(f.full);
	assert_int_equal(f.pipe, -1);
	assert_int_equal(f.cut, 0);
	stdin_relay_close(&f);
}

static void
test_losing_the_client(void **state)
{
	struct stdin_relay f;
	int reader;

	(void)state;
	reader = begin(&f, 8);
	stdin_relay_lose(&f);
	assert_int_equal(f.cut, CODE_MALFORMED);
	expect(reader, "", false);
	stdin_relay_close(&f);
	close(reader);
	reader = begin(&f, 8);
	assert_int_equal(stdin_relay_take(&f, "1#101#0#0\n", 10, false), 10);
	stdin_relay_lose(&f);
	assert_int_equal(f.cut, 0);
	close(reader);
}

/*
 * Test that the relay no longer waits for a full pipe after the client is lost.
 */
static void
test_losing_the_client_of_a_full_pipe(void **state)
{
	static char in[65536 + 16];
	struct stdin_relay f;
	size_t head;
	int reader;

	(void)state;
	reader = begin(&f, sizeof(in));
	assert_true(fcntl(reader, F_SETPIPE_SZ, 4096) >= 4096);
	head = (size_t)snprintf(in, sizeof(in), "1#101#0#65536\n");
	stdin_relay_take(&f, in, head + 65536, false);
	assert_true(f.full);
	stdin_relay_lose(&f);
	assert_false(f.full);
	assert_int_equal(f.cut, CODE_MALFORMED);
	stdin_relay_close(&f);
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
