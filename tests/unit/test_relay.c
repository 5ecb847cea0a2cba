#include "relay.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

struct fixture {
	struct relay relay;
	int in; /* end of the pipe to which the action writes */
	struct buf out;
	struct buf status;
};

static void
begin(struct fixture *f, enum privsep_relay mode)
{
	int pipes[2];

	memset(f, 0, sizeof(*f));
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(fd_nonblock(pipes[0]), 0);
	f->in = pipes[1];
	relay_open(&f->relay, pipes[0], mode);
	buf_adds(&f->status, "1#200#done#id=1\n");
}

static void
finish(struct fixture *f)
{
	relay_close(&f->relay, &f->status);
	assert_int_equal(f->relay.pipe, -1);
	fd_close(&f->in);
	buf_free(&f->out);
	buf_free(&f->status);
}

static void
put(struct fixture *f, const char *text, size_t len)
{
	assert_int_equal(fd_write_all(f->in, text, len), 0);
}

static void
expect(struct fixture *f, const char *text)
{
	assert_string_equal(buf_str(&f->out), text);
}

/*
 * Test that output with any bytes becomes chunks. Bytes above the limit are
 * dropped.
 */
static void
test_chunks(void **state)
{
	struct relay_quota quota = { 10, 0 };
	struct fixture f;
	int pipe;

	(void)state;
	begin(&f, RELAY_LINES);
	pipe = f.relay.pipe;
	relay_open_stream(&f.relay, pipe, 2, &quota);
	put(&f, "1#200#no\n", 9);
	assert_int_equal(relay_read(&f.relay, &f.out), 1);
	expect(&f, "1#101#2#9\n1#200#no\n");
	put(&f, "abc", 3);
	assert_int_equal(relay_read(&f.relay, &f.out), 1);
	expect(&f, "1#101#2#9\n1#200#no\n1#101#2#1\na");
	put(&f, "d", 1);
	assert_int_equal(relay_read(&f.relay, &f.out), 1);
	expect(&f, "1#101#2#9\n1#200#no\n1#101#2#1\na");
	assert_int_equal(quota.left, 0);
	assert_int_equal(quota.dropped, 3);
	finish(&f);
}

/*
 * Test that only whole lines are passed on, even if a line arrives in pieces.
 */
static void
test_lines(void **state)
{
	static const struct {
		const char *piece;
		const char *out; /* expected output up to this piece */
	} rows[] = {
		{ "a", "" },
		{ "b", "" },
		{ "\n", "ab\n" },
		{ "c\nd", "ab\nc\n" },
		{ "\n\n", "ab\nc\nd\n\n" },
		{ "e\nf\ng", "ab\nc\nd\n\ne\nf\n" },
	};
	struct fixture f;
	size_t i;

	(void)state;
	begin(&f, RELAY_LINES);
	assert_int_equal(relay_read(&f.relay, &f.out), -1);
	for (i = 0; i < LENGTH(rows); i++) {
		put(&f, rows[i].piece, strlen(rows[i].piece));
		assert_int_equal(relay_read(&f.relay, &f.out), 1);
		expect(&f, rows[i].out);
		assert_int_equal(relay_read(&f.relay, &f.out), -1);
	}
	fd_close(&f.in);
	assert_int_equal(relay_read(&f.relay, &f.out), 0);
	relay_close(&f.relay, &f.status);
	expect(&f, rows[i - 1].out);
	assert_string_equal(buf_str(&f.status), "1#200#done#id=1\n");
	finish(&f);
}

static void
test_bytes_as_they_are(void **state)
{
	static const char bytes[] = "\0\x01#%\xff\r\n\0\n";
	struct fixture f;
	size_t i;

	(void)state;
	begin(&f, RELAY_LINES);
	for (i = 0; i < sizeof(bytes) - 1; i++) {
		put(&f, bytes + i, 1);
		assert_int_equal(relay_read(&f.relay, &f.out), 1);
	}
	assert_int_equal(f.out.len, sizeof(bytes) - 1);
	assert_memory_equal(f.out.data, bytes, sizeof(bytes) - 1);
	finish(&f);
}

/* Test many lines of very different lengths, up to the maximum. */
static void
test_flood(void **state)
{
	char line[WIRE_REPLY_MAX + 1];
	struct buf sent = { 0 };
	struct fixture f;
	size_t len = 0;
	int i, last;

	(void)state;
	begin(&f, RELAY_LINES);
	for (i = 0; i < 400; i++) {
		len = (len + 4111) % WIRE_REPLY_MAX;
		memset(line, 'a' + i % 26, len);
		line[len] = '\n';
		put(&f, line, len + 1);
		buf_add(&sent, line, len + 1);
		/*
		 * After every third line do not read, so that several lines
		 * wait in the pipe.
		 */
		if (i % 3 != 0)
			while (relay_read(&f.relay, &f.out) == 1)
				;
	}
	do
		last = relay_read(&f.relay, &f.out);
	while (last == 1);
	assert_int_equal(last, -1);
	assert_int_equal(f.out.len, sent.len);
	assert_memory_equal(f.out.data, sent.data, sent.len);
	buf_free(&sent);
	finish(&f);
}

/*
 * Test that a line above the maximum is dropped. The line must not fill memory,
 * and must not change other lines.
 */
static void
test_endless_line(void **state)
{
	static char piece[10000];
	struct fixture f;
	int i;

	(void)state;
	begin(&f, RELAY_LINES);
	memset(piece, 'x', sizeof(piece));
	put(&f, "before\n", 7);
	for (i = 0; i < 50; i++) {
		put(&f, piece, sizeof(piece));
		assert_int_equal(relay_read(&f.relay, &f.out), 1);
		assert_true(f.relay.line.len <= WIRE_REPLY_MAX);
	}
	put(&f, "end\nafter\npart", 14);
	assert_int_equal(relay_read(&f.relay, &f.out), 1);
	put(&f, "ly\n", 3);
	assert_int_equal(relay_read(&f.relay, &f.out), 1);
	expect(&f, "before\nafter\npartly\n");
	finish(&f);
}

/* Test a line of exactly the maximum length, whose LF arrives later. */
static void
test_longest_line(void **state)
{
	static char piece[WIRE_REPLY_MAX];
	struct fixture f;

	(void)state;
	begin(&f, RELAY_LINES);
	memset(piece, 'x', sizeof(piece));
	put(&f, piece, sizeof(piece));
	assert_int_equal(relay_read(&f.relay, &f.out), 1);
	assert_int_equal(f.out.len, 0);
	put(&f, "\n", 1);
	assert_int_equal(relay_read(&f.relay, &f.out), 1);
	assert_int_equal(f.out.len, sizeof(piece) + 1);
	finish(&f);
}

/*
 * Test that relay_limit() makes the relay end after the bytes that are in the
 * pipe now. Other processes may keep the pipe open and write more.
 */
static void
test_limit(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, RELAY_LINES);
	put(&f, "one\ntwo\nth", 10);
	relay_limit(&f.relay);
	assert_int_equal(f.relay.left, 10);
	put(&f, "ree\nfour\n", 9);
	assert_int_equal(relay_read(&f.relay, &f.out), 1);
	assert_int_equal(f.relay.left, 0);
	assert_int_equal(relay_read(&f.relay, &f.out), 0);
	expect(&f, "one\ntwo\n");
	finish(&f);
}

static void
test_limit_of_nothing(void **state)
{
	struct relay none = { .pipe = -1 };
	struct fixture f;

	(void)state;
	begin(&f, RELAY_LINES);
	relay_limit(&f.relay);
	assert_int_equal(f.relay.left, 0);
	put(&f, "late\n", 5);
	assert_int_equal(relay_read(&f.relay, &f.out), 0);
	assert_int_equal(f.out.len, 0);
	finish(&f);
	relay_limit(&none);
	relay_close(&none, &f.status);
}

/* Test relay_limit() with a full pipe, which needs several reads. */
static void
test_limit_of_much(void **state)
{
	static char piece[4096];
	struct fixture f;
	size_t total = 0;
	ssize_t n;

	(void)state;
	begin(&f, RELAY_LINES);
	fcntl(f.in, F_SETPIPE_SZ, 1 << 18);
	assert_int_equal(fd_nonblock(f.in), 0);
	memset(piece, 'x', sizeof(piece));
	piece[sizeof(piece) - 1] = '\n';
	while ((n = write(f.in, piece, sizeof(piece))) > 0)
		total += (size_t)n;
	relay_limit(&f.relay);
	assert_int_equal(f.relay.left, total);
	while (relay_read(&f.relay, &f.out) == 1)
		put(&f, "late\n", 5);
	assert_int_equal(f.relay.left, 0);
	assert_int_equal(f.out.len, total);
	assert_null(memmem(f.out.data, f.out.len, "late", 4));
	finish(&f);
}

static void
test_capture(void **state)
{
	static const struct {
		const char *output;
		const char *status;
	} rows[] = {
		{ "", "1#200#done#id=1\n" },
		{ "\n \n  \n", "1#200#done#id=1\n" },
		{ "one", "1#200#done#id=1#output=one\n" },
		{ "one\ntwo\n", "1#200#done#id=1#output=one\n" },
		{ "\n\n  one two\n", "1#200#done#id=1#output=one two\n" },
		{ "a#b=c%\x1b\r\n",
			"1#200#done#id=1#output=a%23b=c%25%1B%0D\n" },
		{ "\xff\xe4\xbd\xa0",
			"1#200#done#id=1#output=%FF\xe4\xbd\xa0\n" },
	};
	struct fixture f;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		begin(&f, RELAY_CAPTURE);
		put(&f, rows[i].output, strlen(rows[i].output));
		fd_close(&f.in);
		while (relay_read(&f.relay, &f.out) == 1)
			;
		assert_int_equal(f.out.len, 0);
		relay_close(&f.relay, &f.status);
		assert_string_equal(buf_str(&f.status), rows[i].status);
		finish(&f);
	}
}

/* Test that RELAY_CAPTURE reads all output, but keeps only the first part. */
static void
test_capture_of_much(void **state)
{
	static char piece[50000];
	struct fixture f;
	size_t kept;
	int i;

	(void)state;
	begin(&f, RELAY_CAPTURE);
	memset(piece, '\xff', sizeof(piece));
	put(&f, piece, 200);
	assert_int_equal(relay_read(&f.relay, &f.out), 1);
	for (i = 0; i < 20; i++) {
		put(&f, piece, sizeof(piece));
		assert_int_equal(relay_read(&f.relay, &f.out), 1);
	}
	kept = f.relay.capture.len;
	assert_in_range(kept, 200, 1024);
	relay_close(&f.relay, &f.status);
	assert_int_equal(
		f.status.len, strlen("1#200#done#id=1#output=\n") + 3 * kept);
	assert_true(f.status.len < WIRE_REPLY_MAX);
	finish(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_bytes_as_they_are),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_endless_line),
		cmocka_unit_test(test_longest_line),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_limit_of_nothing),
		cmocka_unit_test(test_limit_of_much),
		cmocka_unit_test(test_capture),
		cmocka_unit_test(test_capture_of_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
