#include "remote/conn.h"

#include "clock.h"
#include "fd.h"
#include "remote/conn_open.h"
#include "remote/conn_tls.h"
#include "remote/service_state.h"
#include "util/problem.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE 131072
#define INPUT_SIZE 65536 /* maximum size of a chunk in bytes */
/*
 * Time in ms that bridlectl waits for the first byte of the local daemon. After
 * this time, bridlectl asks systemd if the start of the daemon has failed.
 */
#define START_MS 3000

void
conn_init(struct conn *c)
{
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	c->input = -1;
}

/*
 * Do the TLS handshake, and store the fingerprint of the host's key in c->peer.
 * The caller must check this key. Returns 0, or -1 with a sentence in
 * c->problem.
 */
static int
start_tls(struct conn *c, const struct target *t, struct tls_context *context)
{
	c->tls = context ? tls_open(context, c->fd) : NULL;
	if (c->tls == NULL)
		return problem_add(&c->problem, "OpenSSL cannot start TLS");
	return conn_tls_handshake(c->tls, c->fd, t, c->deadline, c->peer,
		&c->refused, &c->problem);
}

int
conn_open(struct conn *c, const struct target *t, struct tls_context *context,
	int64_t deadline)
{
	c->kind = t->kind;
	c->deadline = deadline;
	/*
	 * Allocate one more byte, because the byte after a line must be
	 * writable.
	 */
	if ((c->in = malloc(BUFFER_SIZE + 1)) == NULL)
		return problem_add(&c->problem, "out of memory");
	c->fd = conn_connect(t, c->deadline, &c->tried, &c->problem);
	if (c->fd == -1)
		return -1;
	c->tried = true;
	c->start_check = clock_ms() + START_MS;
	if (t->kind == TARGET_TLS && start_tls(c, t, context) != 0)
		return -1;
	stream_init(&c->stream, c->fd, c->tls);
	return 0;
}

void
conn_take_refusal(struct conn *c)
{
	tls_close(c->tls);
	c->tls = NULL;
	c->deaf = true;
	stream_init(&c->stream, c->fd, NULL);
	buf_reset(&c->problem);
}

bool
conn_late(const struct conn *c)
{
	return clock_left(c->deadline) == 0;
}

void
conn_seconds(struct conn *c, int64_t begin, unsigned seconds)
{
	c->seconds = seconds;
	c->deadline = begin + (int64_t)seconds * 1000;
}

bool
conn_has_line(const struct conn *c)
{
	return memchr(c->in + c->start, '\n', c->end - c->start) != NULL;
}

/* Send the bytes of c->out that the socket accepts without blocking. */
static void
flush_out(struct conn *c)
{
	ssize_t n;

	while (c->out.len > 0) {
		n = stream_write(&c->stream, c->out.data, c->out.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			/*
			 * Stop sending, but continue to read. The daemon may
			 * have sent a status before the daemon closed the
			 * connection.
			 */
			c->deaf = true;
			buf_reset(&c->out);
			return;
		}
		buf_drop(&c->out, (size_t)n);
	}
	if (c->ending && !c->deaf)
		stream_end(&c->stream);
	c->ending = false;
}

void
conn_send(struct conn *c, const char *data, size_t len)
{
	if (c->deaf)
		return;
	c->sent = true;
	buf_add(&c->out, data, len);
	flush_out(c);
}

void
conn_feed(struct conn *c, int fd)
{
	c->input = fd;
	c->ending = fd == -1;
	flush_out(c);
}

/*
 * Read input for the command, and append the input to c->out as a chunk. At the
 * end of the input, append an empty chunk, which is the end marker.
 */
static void
read_input(struct conn *c)
{
	char data[INPUT_SIZE];
	ssize_t n = read(c->input, data, sizeof(data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	/*
	 * Send no end marker after an error, because the command would then
	 * treat incomplete input as complete input.
	 */
	if (n < 0) {
		problem_add(&c->problem, "cannot read the input: %s",
			strerror(errno));
		return;
	}
	buf_addf(&c->out, "1#%d#0#%zd\n", CODE_CHUNK, n);
	buf_add(&c->out, data, (size_t)n);
	if (n == 0)
		c->input = -1;
}

/* Append the reason of a failed read to c->problem. Always return -1. */
static int
fail_read(struct conn *c)
{
	if (errno == EPROTO && c->tls != NULL)
		return problem_add(&c->problem,
			"the connection ended before the end of the reply: %s",
			tls_problem(c->tls));
	return problem_add(
		&c->problem, "the connection failed: %s", strerror(errno));
}

/* True if a TLS port has replied to a plain request with a TLS record. */
static bool
looks_like_tls(const struct conn *c)
{
	return c->kind == TARGET_PLAIN && c->end >= 2 &&
	       (c->in[0] == 0x15 || c->in[0] == 0x16) && c->in[1] == 0x03;
}

static short
events(const struct conn *c)
{
	return c->out.len > 0 ? (short)(c->stream.to_read | c->stream.to_write)
			      : c->stream.to_read;
}

/*
 * Ask systemd if the local daemon can start, if the daemon has sent no byte for
 * START_MS. If the daemon cannot start, no program accepts the connection, and
 * the request would wait until the deadline. A slow daemon is not an error.
 * Returns 0, or -1 with a sentence in c->problem.
 */
static int
check_start(struct conn *c)
{
	int64_t now = clock_ms();

	if (c->kind != TARGET_UNIX || c->received || now < c->start_check)
		return 0;
	c->start_check = now + START_MS;
	if (!service_state_fails(c->fd))
		return 0;
	return problem_add(&c->problem,
		"bridled does not start: 'systemctl status bridled' and "
		"'journalctl -u bridled' show the error; systemd tries again "
		"every few seconds");
}

/* Return the time in ms until the next check or the deadline. */
static int
patience(const struct conn *c)
{
	if (c->kind != TARGET_UNIX || c->received)
		return clock_left(c->deadline);
	return clock_left(clock_earlier(c->deadline, c->start_check));
}

/*
 * Wait until the socket or the input is ready, and read the input. Returns 0,
 * or -1 after the deadline. If the daemon cannot start, returns -1 with a
 * sentence in c->problem.
 */
static int
wait_more(struct conn *c)
{
	struct pollfd p[2] = { { c->fd, events(c), 0 }, { -1, POLLIN, 0 } };
	int n;

	if (c->input != -1 && !c->deaf && c->out.len < INPUT_SIZE)
		p[1].fd = c->input;
	do {
		if (check_start(c) != 0)
			return -1;
		n = poll(p, 2, patience(c));
	} while ((n == 0 || (n < 0 && errno == EINTR)) &&
		 clock_left(c->deadline) > 0);
	if (n > 0 && p[1].revents != 0)
		read_input(c);
	return n > 0 ? 0 : -1;
}

/*
 * Receive at least one byte into c->in. Return 1 if bytes have arrived, and 0
 * at the end of the connection. On failure, return -1 with a sentence in
 * c->problem.
 */
static int
receive(struct conn *c)
{
	ssize_t n;

	if (c->out.failed)
		return problem_add(&c->problem, "out of memory");
	memmove(c->in, c->in + c->start, c->end - c->start);
	c->end -= c->start;
	c->start = 0;
	for (;;) {
		flush_out(c);
		if (c->problem.len > 0)
			return -1;
		n = stream_read(
			&c->stream, c->in + c->end, BUFFER_SIZE - c->end);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return fail_read(c);
		if (n > 0) {
			c->end += (size_t)n;
			c->received = true;
		}
		/*
		 * Check the deadline even after data, because the host may send
		 * data without end.
		 */
		if (n >= 0 && clock_left(c->deadline) > 0)
			break;
		if (clock_left(c->deadline) > 0 && wait_more(c) == 0)
			continue;
		if (c->problem.len > 0)
			return -1;
		return problem_add(&c->problem,
			"no complete reply within %u second%s", c->seconds,
			c->seconds == 1 ? "" : "s");
	}
	if (n > 0 && looks_like_tls(c))
		return problem_add(
			&c->problem, "this port speaks TLS; omit 'plain:'");
	return n > 0;
}

int
conn_line(struct conn *c, char **line, size_t *len)
{
	size_t seen = 0;
	char *lf;
	int got;

	for (;;) {
		lf = memchr(c->in + c->start + seen, '\n',
			c->end - c->start - seen);
		seen = lf ? (size_t)(lf - c->in) - c->start : c->end - c->start;
		if (seen > WIRE_REPLY_MAX)
			return problem_add(&c->problem,
				"a line of the reply exceeds %d bytes; the "
				"program there is not bridled",
				WIRE_REPLY_MAX);
		if (lf != NULL)
			break;
		if ((got = receive(c)) <= 0)
			return got;
	}
	*line = c->in + c->start;
	*len = seen;
	c->start += seen + 1;
	return 1;
}

int
conn_bytes(struct conn *c, size_t max, char **data, size_t *len)
{
	int got;

	while (c->start == c->end)
		if ((got = receive(c)) <= 0)
			return got;
	*data = c->in + c->start;
	*len = c->end - c->start < max ? c->end - c->start : max;
	c->start += *len;
	return 1;
}

void
conn_close(struct conn *c, bool complete)
{
	struct linger normal = { 0 };

	if (c->fd != -1 && complete) {
		if (c->kind != TARGET_UNIX)
			setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &normal,
				sizeof(normal));
		if (c->tls != NULL)
			stream_end(&c->stream);
	}
	tls_close(c->tls);
	fd_close(&c->fd);
	free(c->in);
	buf_free(&c->out);
	buf_free(&c->problem);
	conn_init(c);
}
