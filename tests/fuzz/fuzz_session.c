/*
 * Fuzz target for a session between a hostile client and the parent. The target
 * includes the session's source and replaces two functions. If the session
 * would exit, control returns to the target. If the session would wait in
 * poll(2), the target sends the next piece of input.
 *
 * The first byte of the input selects the size of the pieces and the first kind
 * of reply. The client sends the other bytes. The parent sends replies of all
 * kinds in turn.
 */
#include "linger.h"
#include "privsep.h"

#include <poll.h>
#include <unistd.h>

static void fuzz_leave(void) __attribute__((noreturn));
static int fuzz_poll(struct pollfd *, nfds_t, int timeout);
static int fuzz_receive(int, struct privsep_message *, size_t *, int *);

#define _exit(status) fuzz_leave()
#define poll fuzz_poll
#define linger(fd) ((void)(fd))
#define linger_flush(fd) ((void)(fd))
#define privsep_receive fuzz_receive
#include "../../session/session.c"
#include "../../session/session_io.c"
#undef _exit
#undef poll
#undef linger
#undef linger_flush
#undef privsep_receive

#include "fd.h"

#include <fcntl.h>
#include <setjmp.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct io io;
static jmp_buf end;
static int client, parent; /* peers of the session's two sockets */
static const uint8_t *input;
static size_t left, piece;
static unsigned answers; /* number of replies sent */
static bool exited_due;  /* true if PRIVSEP_EXITED must follow */
static int reader;       /* reads the input of a command; -1 if none */

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

/*
 * Read and discard all bytes that the session has written to the client and to
 * a command.
 */
static void
drain(void)
{
	char waste[65536];

	while (reader != -1 && read(reader, waste, sizeof(waste)) > 0)
		;
	while (recv(client, waste, sizeof(waste), MSG_DONTWAIT) > 0)
		;
}

/*
 * Send the next piece of the input to the session. Return false if all input is
 * sent.
 */
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
put_events(enum privsep_kind kind)
{
	static const char text[] = "1#100#7\n1#100#8\n";

	must(privsep_reply(parent, kind, RELAY_LINES, text, sizeof(text) - 1,
		     -1) == 0);
}

/*
 * Receive the session's messages during a watch, and reply to them. Fail if a
 * message is not allowed during a watch.
 */
static void
hear_watch(void)
{
	static struct privsep_inbound q;

	while (privsep_inbound(parent, &q) == 1) {
		must(q.kind == PRIVSEP_DONE || q.kind == PRIVSEP_ALIVE ||
			(q.kind == PRIVSEP_REQUEST &&
				q.request.verb == VERB_PING));
		if (q.kind == PRIVSEP_DONE)
			must(privsep_reply(parent, PRIVSEP_REPLY, RELAY_LINES,
				     "1#200#over\n", 11, -1) == 0);
		else if (q.kind == PRIVSEP_REQUEST)
			put_events(PRIVSEP_PONG);
	}
}

/*
 * Replace poll(2) in the session. Before waiting, send what the parent or the
 * client has to send next. If there is nothing to send, end the session.
 */
static int
fuzz_poll(struct pollfd *p, nfds_t n, int timeout)
{
	static const struct timespec at_once;
	int ready;

	drain();
	if (io.state == IO_WATCHING || io.state == IO_LEAVING)
		hear_watch();
	/*
	 * The command reads all its input before it ends. Therefore send the
	 * rest of the input before PRIVSEP_EXITED.
	 */
	if (exited_due && reader != -1 && io.streams.in.more_chunks &&
		!io.eof) {
		if (!send_piece())
			shutdown(client, SHUT_WR);
	} else if (exited_due) {
		/*
		 * The session waits for the last part of the reply, so send
		 * PRIVSEP_EXITED.
		 */
		privsep_reply(parent, PRIVSEP_EXITED, RELAY_LINES,
			"1#200#done\n", 11, -1);
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

/* Return a pipe that holds the output of an action. The last line has no LF. */
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

/*
 * Reply to a request `run` with the output of a command. In half of the calls,
 * the command also reads input.
 */
static void
answer_run(void)
{
	struct privsep_stream m = { STREAM_OUTPUT, answers & 1, 20 };
	int pipes[2], out = make_output();

	must(privsep_reply(parent, PRIVSEP_RELAY, RELAY_STREAM, &m, sizeof(m),
		     out) == 0);
	close(out);
	exited_due = true;
	fd_close(&reader);
	if (answers++ & 2)
		return;
	must(pipe2(pipes, O_CLOEXEC | O_NONBLOCK) == 0);
	reader = pipes[0];
	m.number = STREAM_INPUT;
	must(privsep_reply(parent, PRIVSEP_RELAY, RELAY_STREAM, &m, sizeof(m),
		     pipes[1]) == 0);
	close(pipes[1]);
}

/*
 * Receive the session's next request, and reply to it. Fail if the parent
 * refuses a message of the session.
 */
static void
result(void)
{
	static struct privsep_inbound q;
	static const char text[] = "1#200#done#id=1\n";
	int pipe;

	do
		must(privsep_inbound(parent, &q) == 1);
	while (q.kind == PRIVSEP_DONE || q.kind == PRIVSEP_BEGUN ||
		q.kind == PRIVSEP_ALIVE || q.kind == PRIVSEP_CUT);
	must(q.kind == PRIVSEP_REQUEST || q.kind == PRIVSEP_MALFORMED);
	if (q.kind == PRIVSEP_REQUEST && q.request.verb == VERB_WATCH) {
		put_events(PRIVSEP_EVENTS);
		return;
	}
	if (q.kind == PRIVSEP_REQUEST && q.request.verb == VERB_RUN &&
		!q.request.explain) {
		answer_run();
		return;
	}
	switch (answers++ * 7 % 5) {
	case 1:
		pipe = make_output();
		must(privsep_reply(parent, PRIVSEP_RELAY,
			     answers % 2 ? RELAY_CAPTURE : RELAY_LINES, NULL, 0,
			     pipe) == 0);
		close(pipe);
		exited_due = true;
		break;
	case 4:
		if (answers > 20) {
			must(privsep_reply(parent, PRIVSEP_END, RELAY_LINES,
				     text, sizeof(text) - 1, -1) == 0);
			break;
		}
		/* fall through */
	default:
		must(privsep_reply(parent, PRIVSEP_REPLY, RELAY_LINES, text,
			     sizeof(text) - 1, -1) == 0);
	}
}

static int
fuzz_receive(int sock, struct privsep_message *m, size_t *len, int *pass)
{
	/*
	 * In the state IO_IDLE, the session waits for the reply to a request.
	 */
	if (io.state == IO_IDLE)
		result();
	return privsep_receive(sock, m, len, pass);
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
	io.parent = a[0];
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
