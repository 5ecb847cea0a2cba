#include "privsep.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* The two ends of the channel. */
struct channel {
	int session;
	int parent;
	int descriptors; /* number of open descriptors before the test */
};

static int
count_descriptors(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static int
set_up(void **state)
{
	static struct channel c;
	int pair[2];

	signal(SIGPIPE, SIG_IGN);
	c.descriptors = count_descriptors();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0, pair) != 0)
		return -1;
	c.session = pair[0];
	c.parent = pair[1];
	*state = &c;
	return 0;
}

/* Close the channel. Fail if the test has left a descriptor open. */
static int
tear_down(void **state)
{
	struct channel *c = *state;

	fd_close(&c->session);
	fd_close(&c->parent);
	if (count_descriptors() == c->descriptors)
		return 0;
	print_error("a descriptor is left open\n");
	return -1;
}

/*
 * Parse a line and return the request. The strings of the request are valid
 * until the next call.
 */
static struct request
request_of(const char *line)
{
	static char copy[WIRE_LINE_MAX + 1];
	struct request_error e;
	struct request r;

	strcpy(copy, line);
	if (request_parse(copy, strlen(copy), true, &r, &e) != 0)
		fail_msg("%s: %s", line, e.reason);
	return r;
}

static void
test_requests(void **state)
{
	static const char *const lines[] = { "1#1",
		"1#1#dry-run#mode=reboot#when=+5#message=back soon", "1#2",
		"1#2#name=fire*#user=1000", "1#3#x",
		("1#3#%01%FF%23#dry-run#user=eve#signal=HUP#wait=600"
		 "#escalate=RTMIN+3#only=1-2-3,4-5-6"),
		"1#4", "1#6", "1#7", "1#11", "1#12#3#sshd#signal=KILL",
		"1#12#1#mode=poweroff" };
	struct channel *c = *state;
	struct privsep_inbound q;
	struct buf b = { 0 };
	struct request r;
	size_t i;

	for (i = 0; i < LENGTH(lines); i++) {
		r = request_of(lines[i]);
		assert_int_equal(privsep_request(c->session, &r), 0);
		memset(&r, 0xee, sizeof(r));
		request_of("1#2#name=overwritten#user=overwritten");
		memset(&q, 0xee, sizeof(q));
		assert_int_equal(privsep_inbound(c->parent, &q), 1);
		assert_int_equal(q.kind, PRIVSEP_REQUEST);
		buf_reset(&b);
		request_format(&q.request, &b);
		assert_string_equal(buf_str(&b), lines[i]);
	}
	buf_free(&b);
}

/* Test the longest request that a line can hold. */
static void
test_longest_request(void **state)
{
	char line[WIRE_LINE_MAX + 1] = "1#3#";
	struct channel *c = *state;
	struct privsep_inbound q;
	struct request r;

	memset(line + 4, 'x', WIRE_LINE_MAX - 4);
	r = request_of(line);
	assert_int_equal(privsep_request(c->session, &r), 0);
	assert_int_equal(privsep_inbound(c->parent, &q), 1);
	assert_string_equal(q.request.strings[REQUEST_NAME], line + 4);
	strcpy(line + WIRE_LINE_MAX - 8, "#user=ab");
	r = request_of(line);
	assert_int_equal(privsep_request(c->session, &r), 0);
	assert_int_equal(privsep_inbound(c->parent, &q), 1);
	assert_string_equal(q.request.strings[REQUEST_USER], "ab");
}

static void
test_malformed(void **state)
{
	static const int codes[] = { CODE_MALFORMED, CODE_TOO_LONG,
		CODE_UNKNOWN_VERB, CODE_UNKNOWN_VERSION };
	struct request_error e = { .close = true };
	struct channel *c = *state;
	struct privsep_inbound q;
	size_t i;

	for (i = 0; i < LENGTH(codes); i++) {
		e.code = codes[i];
		memset(e.reason, 'x', sizeof(e.reason) - 1);
		e.reason[i == 0 ? sizeof(e.reason) - 1 : i] = '\0';
		assert_int_equal(privsep_malformed(c->session, &e), 0);
		memset(&q, 0xee, sizeof(q));
		assert_int_equal(privsep_inbound(c->parent, &q), 1);
		assert_int_equal(q.kind, PRIVSEP_MALFORMED);
		assert_int_equal(q.error.code, codes[i]);
		assert_string_equal(q.error.reason, e.reason);
	}
}

/*
 * Test that the message contains only the reason, and no memory behind the
 * reason's NUL.
 */
static void
test_malformed_tells_no_more(void **state)
{
	struct privsep_malformed m;
	struct request_error e;
	struct channel *c = *state;
	size_t i;

	memset(&e, 'S', sizeof(e));
	e.code = CODE_MALFORMED;
	strcpy(e.reason, "why");
	assert_int_equal(privsep_malformed(c->session, &e), 0);
	assert_int_equal(recv(c->parent, &m, sizeof(m), 0), sizeof(m));
	for (i = strlen("why"); i < sizeof(m.reason); i++)
		assert_int_equal(m.reason[i], '\0');
}

static void
test_done(void **state)
{
	struct channel *c = *state;
	struct privsep_inbound q;

	assert_int_equal(privsep_notice(c->session, PRIVSEP_DONE), 0);
	assert_int_equal(privsep_inbound(c->parent, &q), 1);
	assert_int_equal(q.kind, PRIVSEP_DONE);
	assert_int_equal(privsep_notice(c->session, PRIVSEP_BEGUN), 0);
	assert_int_equal(privsep_inbound(c->parent, &q), 1);
	assert_int_equal(q.kind, PRIVSEP_BEGUN);
}

#define GOOD_KEY "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void
test_peer(void **state)
{
	struct channel *c = *state;
	struct privsep_inbound q;

	assert_int_equal(
		privsep_peer(c->session, PRIVSEP_HANDSHAKE_KEY, GOOD_KEY), 0);
	assert_int_equal(privsep_inbound(c->parent, &q), 1);
	assert_int_equal(q.kind, PRIVSEP_PEER);
	assert_int_equal(q.peer.result, PRIVSEP_HANDSHAKE_KEY);
	assert_string_equal(q.peer.text, GOOD_KEY);
	assert_int_equal(
		privsep_peer(c->session, PRIVSEP_HANDSHAKE_FAILED, "why"), 0);
	assert_int_equal(privsep_inbound(c->parent, &q), 1);
	assert_string_equal(q.peer.text, "why");
	/* A text that is not a fingerprint is refused. */
	assert_int_equal(
		privsep_peer(c->session, PRIVSEP_HANDSHAKE_KEY, "SHA256:AA"),
		0);
	assert_int_equal(privsep_inbound(c->parent, &q), -1);
	assert_int_equal(errno, EPROTO);
	assert_int_equal(privsep_peer(c->session, PRIVSEP_HANDSHAKES, ""), 0);
	assert_int_equal(privsep_inbound(c->parent, &q), -1);
	assert_int_equal(errno, EPROTO);
}

static void
test_nothing_and_the_end(void **state)
{
	struct channel *c = *state;
	struct privsep_inbound q;

	assert_int_equal(privsep_inbound(c->parent, &q), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(privsep_notice(c->session, PRIVSEP_DONE), 0);
	fd_close(&c->session);
	assert_int_equal(privsep_inbound(c->parent, &q), 1);
	assert_int_equal(privsep_inbound(c->parent, &q), 0);
	fd_close(&c->parent);
	assert_int_equal(privsep_inbound(c->parent, &q), -1);
	assert_int_not_equal(errno, EAGAIN);
	assert_int_not_equal(errno, EPROTO);
}

static void
test_nobody_there(void **state)
{
	struct request r = request_of("1#2#name=x");
	struct request_error e = { .code = 400 };
	struct channel *c = *state;

	fd_close(&c->parent);
	assert_int_equal(privsep_request(c->session, &r), -1);
	assert_int_equal(privsep_malformed(c->session, &e), -1);
	assert_int_equal(privsep_notice(c->session, PRIVSEP_DONE), -1);
	assert_int_equal(errno, EPIPE);
}

/*
 * Let a session send the message for this line. Copy the message to `bytes`,
 * and return the length of the message.
 */
static size_t
bytes_of(struct channel *c, const char *line, char *bytes, size_t size)
{
	struct request r = request_of(line);
	ssize_t n;

	assert_int_equal(privsep_request(c->session, &r), 0);
	n = recv(c->parent, bytes, size, 0);
	assert_true(n > 0);
	return (size_t)n;
}

static void
expect_bad(struct channel *c, const void *bytes, size_t len, const char *what)
{
	struct privsep_inbound q;

	assert_int_equal(send(c->session, bytes, len, 0), len);
	errno = 0;
	if (privsep_inbound(c->parent, &q) != -1 || errno != EPROTO)
		fail_msg("%s is taken", what);
}

/* Test that a message with too few or too many bytes is refused. */
static void
test_wrong_lengths(void **state)
{
	static const char *const lines[] = { "1#4", "1#2#name=fire*#user=eve",
		"1#3#x#only=1-2-3", "1#1#message=hi" };
	char bytes[PRIVSEP_INBOUND_MAX + 1] = "";
	struct channel *c = *state;
	struct privsep_malformed m = { PRIVSEP_MALFORMED, 400, "why" };
	uint32_t done[2] = { PRIVSEP_DONE, 0 };
	size_t i, len, n;

	for (i = 0; i < LENGTH(lines); i++) {
		n = bytes_of(c, lines[i], bytes, sizeof(bytes));
		for (len = 1; len < n; len++)
			expect_bad(c, bytes, len, lines[i]);
		bytes[n] = '\0';
		expect_bad(c, bytes, n + 1, lines[i]);
		bytes[n] = 'x';
		expect_bad(c, bytes, n + 1, lines[i]);
		expect_bad(c, bytes, PRIVSEP_INBOUND_MAX, lines[i]);
		expect_bad(c, bytes, PRIVSEP_INBOUND_MAX + 1, lines[i]);
	}
	for (len = 1; len < sizeof(m); len++)
		expect_bad(c, &m, len, "a part of malformed");
	for (len = 1; len < sizeof(done); len++)
		if (len != sizeof(struct privsep_notice))
			expect_bad(c, done, len, "done");
}

static void
test_wrong_kinds(void **state)
{
	static const uint32_t kinds[] = { 0, PRIVSEP_REPLY, PRIVSEP_RELAY,
		PRIVSEP_EXITED, PRIVSEP_END, PRIVSEP_END + 1, UINT32_MAX };
	struct channel *c = *state;
	char bytes[1024];
	size_t i, n = bytes_of(c, "1#4", bytes, sizeof(bytes));

	for (i = 0; i < LENGTH(kinds); i++) {
		memcpy(bytes, &kinds[i], sizeof(kinds[i]));
		expect_bad(c, bytes, n, "a message of another kind");
		expect_bad(c, bytes, sizeof(uint32_t), "a bare kind");
	}
}

/*
 * Test that messages with a wrong value in the head are refused. The head is
 * followed by the strings "name\0user\0".
 */
static void
test_wrong_heads(void **state)
{
	struct privsep_request head;
	struct channel *c = *state;
	char good[256], bytes[256];
	size_t n = bytes_of(c, "1#3#name#user=user", good, sizeof(good)), i;
	const struct {
		size_t offset;
		uint32_t value;
		const char *what;
	} lies[] = {
#define LIE(field, value) \
	{ offsetof(struct privsep_request, field), value, #field "=" #value }
		LIE(verb, 0),
		LIE(verb, VERB_RUN),
		LIE(verb, VERB_EXPLAIN),
		LIE(verb, VERB_LAST + 1),
		LIE(verb, UINT32_MAX),
		LIE(verb, 0x10003),
		LIE(explain, 2),
		LIE(explain, UINT32_MAX),
		LIE(dry_run, 2),
		LIE(signal, 0),
		LIE(signal, 65),
		LIE(signal, 0x10000 + SIGTERM),
		LIE(signal, UINT32_MAX),
		LIE(escalate, 9), /* invalid, because wait= is 0 */
		LIE(escalate, 256 + 9),
		LIE(escalate, UINT32_MAX),
		LIE(wait, REQUEST_WAIT_MAX + 1),
		LIE(wait, UINT32_MAX),
		LIE(len[REQUEST_NAME], 0),
		LIE(len[REQUEST_NAME], 1),
		LIE(len[REQUEST_NAME], 4),
		LIE(len[REQUEST_NAME], 6),
		LIE(len[REQUEST_NAME], 10),
		LIE(len[REQUEST_NAME], 11),
		LIE(len[REQUEST_NAME], UINT32_MAX),
		LIE(len[REQUEST_NAME], UINT32_MAX - 4),
		LIE(len[REQUEST_USER], 0),
		LIE(len[REQUEST_USER], 4),
		LIE(len[REQUEST_USER], 6),
		LIE(len[REQUEST_USER], UINT32_MAX),
		LIE(len[REQUEST_ONLY], 1),
		LIE(len[REQUEST_MESSAGE], 5),
		LIE(len[REQUEST_MESSAGE], UINT32_MAX),
#undef LIE
	};

	assert_int_equal(n, sizeof(head) + 10);
	for (i = 0; i < LENGTH(lies); i++) {
		memcpy(bytes, good, n);
		memcpy(bytes + lies[i].offset, &lies[i].value,
			sizeof(uint32_t));
		if (memcmp(bytes, good, n) == 0)
			fail_msg("lie %zu is the truth", i);
		expect_bad(c, bytes, n, lies[i].what);
	}
}

static void
test_wrong_strings(void **state)
{
	struct channel *c = *state;
	char bytes[256];
	char *name = bytes + sizeof(struct privsep_request);
	size_t n = bytes_of(c, "1#3#name#user=user", bytes, sizeof(bytes));

	name[2] = '\0';
	expect_bad(c, bytes, n, "a NUL within");
	name[2] = 'm';
	name[4] = 'x';
	expect_bad(c, bytes, n, "no NUL at the end");
	name[4] = '\0';
	name[9] = 'x';
	expect_bad(c, bytes, n, "no NUL at the very end");
	n = bytes_of(c, "1#1#when=+5#message=hi", bytes, sizeof(bytes));
	memcpy(name, "-r", 3);
	expect_bad(c, bytes, n, "a time that is an option");
	memcpy(name, "+5", 3);
	memcpy(name + 3, "-r", 3);
	expect_bad(c, bytes, n, "a message that is an option");
	memcpy(name + 3, "h\n", 3);
	expect_bad(c, bytes, n, "a message of two lines");
}

static void
test_wrong_malformed(void **state)
{
	static const uint32_t codes[] = { 0, 100, 101, 200, 202, 399, 402, 499,
		600, 65936, UINT32_MAX };
	struct privsep_malformed m = { PRIVSEP_MALFORMED, 400, "why" };
	struct channel *c = *state;
	size_t i;

	for (i = 0; i < LENGTH(codes); i++) {
		m.code = codes[i];
		expect_bad(c, &m, sizeof(m), "an answer that is not theirs");
	}
	m.code = 400;
	memset(m.reason, 'x', sizeof(m.reason));
	expect_bad(c, &m, sizeof(m), "a reason without an end");
}

/*
 * Test messages in which random bytes are changed. Each message must be refused
 * or must be a valid request.
 */
static void
test_wrong_bytes(void **state)
{
	struct channel *c = *state;
	char good[256], bytes[256];
	size_t n = bytes_of(c, "1#3#name#user=user", good, sizeof(good));
	struct privsep_inbound q;
	size_t round, i;
	int taken = 0;

	srandom(3);
	for (round = 0; round < 20000; round++) {
		memcpy(bytes, good, n);
		for (i = (size_t)random() % 4; i < 4; i++)
			bytes[(size_t)random() % n] = (char)random();
		assert_int_equal(send(c->session, bytes, n, 0), n);
		if (privsep_inbound(c->parent, &q) != 1)
			continue;
		assert_int_equal(q.kind, PRIVSEP_REQUEST);
		assert_true(request_valid(&q.request));
		taken++;
	}
	assert_true(taken > 0);
}

/* Send a message with n descriptors of /dev/null. */
static void
send_with(int sock, const void *bytes, size_t len, size_t n)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(8 * sizeof(int))];
	} control = { .space = "" };
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = CMSG_SPACE(n * sizeof(int)) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
	int fds[8];
	size_t i;

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(n * sizeof(int));
	for (i = 0; i < n; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	memcpy(CMSG_DATA(h), fds, n * sizeof(int));
	assert_int_equal(sendmsg(sock, &msg, 0), len);
	for (i = 0; i < n; i++)
		fd_close(&fds[i]);
}

/*
 * Test that the parent refuses a message from a session if the message contains
 * descriptors. The parent must close all these descriptors.
 */
static void
test_question_with_descriptors(void **state)
{
	struct channel *c = *state;
	struct privsep_inbound q;
	char bytes[256];
	size_t n, len = bytes_of(c, "1#4", bytes, sizeof(bytes));

	for (n = 1; n <= 8; n++) {
		send_with(c->session, bytes, len, n);
		assert_int_equal(privsep_inbound(c->parent, &q), -1);
		assert_int_equal(errno, EPROTO);
		assert_int_equal(count_descriptors(), c->descriptors + 2);
	}
}

static void
test_answers(void **state)
{
	static char bytes[PRIVSEP_BYTES_MAX + 1];
	static struct privsep_message m;
	static const size_t lengths[] = { 0, 1, 4096, PRIVSEP_BYTES_MAX };
	struct channel *c = *state;
	size_t i, len;
	int pass;

	memset(bytes, 'x', sizeof(bytes));
	for (i = 0; i < LENGTH(lengths); i++) {
		assert_int_equal(privsep_reply(c->parent, PRIVSEP_REPLY,
					 RELAY_LINES, bytes, lengths[i], -1),
			0);
		pass = 99;
		assert_int_equal(
			privsep_receive(c->session, &m, &len, &pass), 1);
		assert_int_equal(m.head.kind, PRIVSEP_REPLY);
		assert_int_equal(pass, -1);
		assert_int_equal(len, lengths[i]);
		assert_memory_equal(m.bytes, bytes, len);
	}
	assert_int_equal(privsep_reply(c->parent, PRIVSEP_END, RELAY_LINES,
				 bytes, sizeof(bytes), -1),
		-1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(
		privsep_reply(c->parent, PRIVSEP_END, RELAY_LINES, NULL, 0, -1),
		0);
	assert_int_equal(privsep_receive(c->session, &m, &len, &pass), 1);
	assert_int_equal(m.head.kind, PRIVSEP_END);
	assert_int_equal(len, 0);
	fd_close(&c->parent);
	assert_int_equal(privsep_receive(c->session, &m, &len, &pass), 0);
}

static void
test_answer_with_a_pipe(void **state)
{
	static struct privsep_message m;
	struct channel *c = *state;
	int pipes[2], pass;
	char text[4] = "";
	size_t len;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(write(pipes[1], "abc", 3), 3);
	assert_int_equal(privsep_reply(c->parent, PRIVSEP_RELAY, RELAY_CAPTURE,
				 NULL, 0, pipes[0]),
		0);
	fd_close(&pipes[0]);
	fd_close(&pipes[1]);
	assert_int_equal(privsep_receive(c->session, &m, &len, &pass), 1);
	assert_int_equal(m.head.kind, PRIVSEP_RELAY);
	assert_int_equal(m.head.relay, RELAY_CAPTURE);
	assert_int_equal(len, 0);
	assert_true(fcntl(pass, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(read(pass, text, 4), 3);
	assert_string_equal(text, "abc");
	fd_close(&pass);
}

/*
 * Test that a session refuses a message with several descriptors. A message
 * that is too short and has a descriptor must be refused too. All these
 * descriptors must be closed.
 */
static void
test_answer_with_descriptors(void **state)
{
	static struct privsep_message m = { .head = { PRIVSEP_RELAY, 0 } };
	struct channel *c = *state;
	int pass = 99;
	size_t len, n;

	for (n = 2; n <= 8; n++) {
		send_with(c->parent, &m, sizeof(m.head), n);
		assert_int_equal(
			privsep_receive(c->session, &m, &len, &pass), -1);
		assert_int_equal(pass, -1);
	}
	for (len = 0; len < sizeof(m.head); len++) {
		send_with(c->parent, &m, len, 1);
		assert_int_not_equal(
			privsep_receive(c->session, &m, &n, &pass), 1);
		assert_int_equal(pass, -1);
		assert_int_equal(count_descriptors(), c->descriptors + 2);
	}
}

/* Test that the parent never waits for a session that does not read. */
static void
test_answers_that_nobody_reads(void **state)
{
	static const char bytes[PRIVSEP_BYTES_MAX];
	struct channel *c = *state;
	int n = 0;

	while (privsep_reply(c->parent, PRIVSEP_REPLY, RELAY_LINES, bytes,
		       sizeof(bytes), -1) == 0)
		assert_true(++n < 1000);
	assert_int_equal(errno, EAGAIN);
	assert_true(n > 0);
}

static void
test_rebase(void **state)
{
	static struct privsep_inbound q, copy;
	struct channel *c = *state;
	struct request r = request_of("1#3#name#user=eve");
	int i;

	assert_int_equal(privsep_request(c->session, &r), 0);
	assert_int_equal(privsep_inbound(c->parent, &q), 1);
	copy = q;
	privsep_rebase(&copy, &q);
	memset(&q, 0xee, sizeof(q));
	assert_string_equal(copy.request.strings[REQUEST_NAME], "name");
	assert_string_equal(copy.request.strings[REQUEST_USER], "eve");
	for (i = REQUEST_ONLY; i < REQUEST_STRINGS; i++)
		assert_null(copy.request.strings[i]);
}

#define ON_CHANNEL(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_CHANNEL(test_requests),
		ON_CHANNEL(test_longest_request),
		ON_CHANNEL(test_malformed),
		ON_CHANNEL(test_malformed_tells_no_more),
		ON_CHANNEL(test_done),
		ON_CHANNEL(test_peer),
		ON_CHANNEL(test_nothing_and_the_end),
		ON_CHANNEL(test_nobody_there),
		ON_CHANNEL(test_wrong_lengths),
		ON_CHANNEL(test_wrong_kinds),
		ON_CHANNEL(test_wrong_heads),
		ON_CHANNEL(test_wrong_strings),
		ON_CHANNEL(test_wrong_malformed),
		ON_CHANNEL(test_wrong_bytes),
		ON_CHANNEL(test_question_with_descriptors),
		ON_CHANNEL(test_answers),
		ON_CHANNEL(test_answer_with_a_pipe),
		ON_CHANNEL(test_answer_with_descriptors),
		ON_CHANNEL(test_answers_that_nobody_reads),
		ON_CHANNEL(test_rebase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
