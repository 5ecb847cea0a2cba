/*
 * A session between a hostile client and the parent's answers. The session's
 * own source is included, so that its ends come back here instead of ending
 * the process, and its waits move the input on instead of waiting.
 *
 * The input is what the client sends. Its first byte is how: in pieces of so
 * many bytes, and which kinds of answers it gets in turn.
 */
#include "ask.h"
#include "farewell.h"

#include <poll.h>
#include <unistd.h>

static void fuzz_leave(void) __attribute__((noreturn));
static int fuzz_poll(struct pollfd *, nfds_t, int timeout);
static int fuzz_receive(int, struct ask_message *, size_t *, int *);

#define _exit(status) fuzz_leave()
#define poll fuzz_poll
#define farewell_linger(fd) ((void)(fd))
#define farewell_flush(fd) ((void)(fd))
#define ask_receive fuzz_receive
#include "../../session/session.c"
#include "../../session/session_io.c"
#undef _exit
#undef poll
#undef farewell_linger
#undef farewell_flush
#undef ask_receive

#include "fd.h"

#include <fcntl.h>
#include <setjmp.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct io io;
static jmp_buf end;
static int client, parent; /* the other ends */
static const uint8_t *input;
static size_t left, piece;
static unsigned answers; /* how many there were */
static bool exited_due;  /* an action's output goes by */
static int reader;       /* what a command has as its input */

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
fuzz_leave(void)
{
	longjmp(end, 1);
}

/* What the session writes are whole lines of the protocol, in the end. */
static void
drain(void)
{
	char waste[65536];

	while (reader != -1 && read(reader, waste, sizeof(waste)) > 0)
		;
	while (recv(client, waste, sizeof(waste), MSG_DONTWAIT) > 0)
		;
}

/* The next piece of the input; false when all is sent. */
static bool
send_piece(void)
{
	size_t n = left < piece ? left : piece;

	if (n == 0)
		return false;
	must(send(client, input, n, MSG_NOSIGNAL) == (ssize_t)n ||
		errno == EPIPE);
	input += n;
	left -= n;
	return true;
}

static void
put_events(enum ask_kind kind)
{
	static const char text[] = "1#100#7\n1#100#8\n";

	must(ask_answer(parent, kind, RELAY_LINES, text, sizeof(text) - 1,
		     -1) == 0);
}

/* In a watch the session asks for heartbeats, or for the end of it. */
static void
hear_watch(void)
{
	static struct ask_question q;

	while (ask_question(parent, &q) == 1) {
		must(q.kind == ASK_DONE ||
			(q.kind == ASK_REQUEST && q.request.verb == VERB_PING));
		if (q.kind == ASK_DONE)
			must(ask_answer(parent, ASK_ANSWER, RELAY_LINES,
				     "1#200#over\n", 11, -1) == 0);
		else
			put_events(ASK_BEAT);
	}
}

/* It ends when neither side has anything left to say. */
static int
fuzz_poll(struct pollfd *p, nfds_t n, int timeout)
{
	static const struct timespec at_once;
	int ready;

	drain();
	if (io.state == IO_WATCHING || io.state == IO_LEAVING)
		hear_watch();
	/* A command has the input that there is, and ends after it. */
	if (exited_due && reader != -1 && io.streams.in.due && !io.eof) {
		if (!send_piece())
			shutdown(client, SHUT_WR);
	} else if (exited_due) {
		/* The answer's last part comes when the session waits. */
		ask_answer(parent, ASK_EXITED, RELAY_LINES, "1#200#done\n", 11,
			-1);
		exited_due = false;
	}
	while ((ready = ppoll(p, n, &at_once, NULL)) == 0) {
		if (timeout > 0)
			return 0;
		if (send_piece())
			continue;
		if (shutdown(client, SHUT_WR) != 0 || io.eof)
			fuzz_leave();
	}
	return ready;
}

/* A pipe with an action's lines in it, of which the last may be cut. */
static int
make_output(void)
{
	static const char lines[] = "1#100#pid#name\n1#100#1#init\n1#100#cut";
	int pipes[2];

	must(pipe2(pipes, O_CLOEXEC | O_NONBLOCK) == 0);
	must(write(pipes[1], lines, sizeof(lines) - 1 - answers % 4) > 0);
	close(pipes[1]);
	return pipes[0];
}

/* Its output, and every other time it takes input. */
static void
answer_run(void)
{
	struct ask_stream m = { STREAM_OUTPUT, answers & 1, 20 };
	int pipes[2], out = make_output();

	must(ask_answer(parent, ASK_RELAY, RELAY_STREAM, &m, sizeof(m), out) ==
		0);
	close(out);
	exited_due = true;
	fd_close(&reader);
	if (answers++ & 2)
		return;
	must(pipe2(pipes, O_CLOEXEC | O_NONBLOCK) == 0);
	reader = pipes[0];
	m.number = STREAM_INPUT;
	must(ask_answer(parent, ASK_RELAY, RELAY_STREAM, &m, sizeof(m),
		     pipes[1]) == 0);
	close(pipes[1]);
}

/* Every question must be one that the parent takes. */
static void
answer(void)
{
	static struct ask_question q;
	static const char text[] = "1#200#done#id=1\n";
	int pipe;

	do
		must(ask_question(parent, &q) == 1);
	while (q.kind == ASK_DONE || q.kind == ASK_CUT);
	must(q.kind == ASK_REQUEST || q.kind == ASK_MALFORMED);
	if (q.kind == ASK_REQUEST && q.request.verb == VERB_WATCH) {
		put_events(ASK_EVENTS);
		return;
	}
	if (q.kind == ASK_REQUEST && q.request.verb == VERB_RUN &&
		!q.request.explain) {
		answer_run();
		return;
	}
	switch (answers++ * 7 % 5) {
	case 1:
		pipe = make_output();
		must(ask_answer(parent, ASK_RELAY,
			     answers % 2 ? RELAY_CAPTURE : RELAY_LINES, NULL, 0,
			     pipe) == 0);
		close(pipe);
		exited_due = true;
		break;
	case 4:
		if (answers > 20) {
			must(ask_answer(parent, ASK_END, RELAY_LINES, text,
				     sizeof(text) - 1, -1) == 0);
			break;
		}
		/* fall through */
	default:
		must(ask_answer(parent, ASK_ANSWER, RELAY_LINES, text,
			     sizeof(text) - 1, -1) == 0);
	}
}

static int
fuzz_receive(int sock, struct ask_message *m, size_t *len, int *pass)
{
	/* In the middle of an action there is no question. */
	if (io.state == IO_IDLE)
		answer();
	return ask_receive(sock, m, len, pass);
}

static void
serve(void)
{
	if (setjmp(end) != 0)
		return;
	open_client(&io, io.client.fd, NULL);
	for (;;) {
		advance(&io);
		wait_and_serve(&io);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int c[2], a[2];

	if (size < 2)
		return 0;
	piece = 1 + (data[0] & 0x3f) * 64u;
	answers = data[0] >> 6;
	exited_due = false;
	input = data + 1;
	left = size - 1;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, c) == 0);
	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, a) == 0);
	client = c[1];
	parent = a[1];
	memset(&io, 0, sizeof(io));
	io.client.fd = c[0];
	io.ask = a[0];
	streams_init(&io.streams);
	reader = -1;
	serve();
	must(io.inlen <= IO_IN_MAX);
	streams_close(&io.streams, &io.status);
	fd_close(&reader);
	buf_free(&io.out);
	buf_free(&io.status);
	close(c[0]);
	close(c[1]);
	close(a[0]);
	close(a[1]);
	return 0;
}
