#include "client.h"

#include "clock.h"
#include "connect.h"
#include "fd.h"
#include "handshake.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE 131072
#define INPUT_SIZE 65536 /* of a chunk */

static int fail(struct client *, const char *, ...)
	__attribute__((format(printf, 2, 3)));

static int
fail(struct client *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&c->problem, fmt, ap);
	va_end(ap);
	return -1;
}

void
client_init(struct client *c)
{
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	c->input = -1;
}

/* All of TLS but the question whose key that is. */
static int
secure(struct client *c, const struct target *t, struct tls_context *context)
{
	c->tls = context ? tls_open(context, c->fd) : NULL;
	if (c->tls == NULL)
		return fail(c, "OpenSSL fails");
	return handshake_run(
		c->tls, c->fd, t, c->deadline, c->peer, &c->problem);
}

int
client_open(struct client *c, const struct target *t,
	struct tls_context *context, unsigned seconds)
{
	client_time(c, seconds);
	return client_open_by(c, t, context, c->deadline);
}

int
client_open_by(struct client *c, const struct target *t,
	struct tls_context *context, int64_t deadline)
{
	c->kind = t->kind;
	c->deadline = deadline;
	/* One byte more than is read: the line's end must be writable. */
	if ((c->in = malloc(BUFFER_SIZE + 1)) == NULL)
		return fail(c, "out of memory");
	c->fd = connect_target(t, c->deadline, &c->tried, &c->problem);
	if (c->fd == -1)
		return -1;
	c->tried = true;
	if (t->kind == TARGET_TLS && secure(c, t, context) != 0)
		return -1;
	stream_init(&c->stream, c->fd, c->tls);
	return 0;
}

bool
client_late(const struct client *c)
{
	return clock_left(c->deadline) == 0;
}

void
client_time(struct client *c, unsigned seconds)
{
	client_time_from(c, clock_ms(), seconds);
}

void
client_time_from(struct client *c, int64_t begin, unsigned seconds)
{
	c->seconds = seconds;
	c->deadline = begin + (int64_t)seconds * 1000;
}

void
client_until(struct client *c, int64_t deadline)
{
	c->deadline = deadline;
}

bool
client_has_line(const struct client *c)
{
	return memchr(c->in + c->start, '\n', c->end - c->start) != NULL;
}

/* Sends what the socket takes now. */
static void
flush_out(struct client *c)
{
	ssize_t n;

	while (c->out.len > 0) {
		n = stream_write(&c->stream, c->out.data, c->out.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			/* It may have said why, before it closed: go and
			 * read that. */
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
client_send(struct client *c, const char *data, size_t len)
{
	if (c->deaf)
		return;
	buf_add(&c->out, data, len);
	flush_out(c);
}

void
client_end(struct client *c)
{
	c->ending = true;
	flush_out(c);
}

void
client_feed(struct client *c, int fd)
{
	c->input = fd;
}

/* A chunk of the command's input, or its end. */
static void
read_input(struct client *c)
{
	char data[INPUT_SIZE];
	ssize_t n = read(c->input, data, sizeof(data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	/* What cannot be read to its end must not be taken for the whole. */
	if (n < 0) {
		fail(c, "cannot read the input: %s", strerror(errno));
		return;
	}
	buf_addf(&c->out, "1#%d#0#%zd\n", CODE_CHUNK, n);
	buf_add(&c->out, data, (size_t)n);
	if (n == 0)
		c->input = -1;
}

/* What a failed read means. */
static int
fail_read(struct client *c)
{
	if (errno == EPROTO && c->tls != NULL)
		return fail(c, "the connection ended before the answer did: %s",
			tls_problem(c->tls));
	return fail(c, "the connection broke: %s", strerror(errno));
}

/* TLS complains of a plain request by a record of two known bytes. */
static bool
looks_like_tls(const struct client *c)
{
	return c->kind == TARGET_PLAIN && c->end >= 2 &&
	       (c->in[0] == 0x15 || c->in[0] == 0x16) && c->in[1] == 0x03;
}

static short
events(const struct client *c)
{
	return c->out.len > 0 ? (short)(c->stream.to_read | c->stream.to_write)
			      : c->stream.to_read;
}

/* Until something can be done. 0, or -1 if it takes too long. */
static int
wait_more(struct client *c)
{
	struct pollfd p[2] = { { c->fd, events(c), 0 }, { -1, POLLIN, 0 } };
	int n;

	if (c->input != -1 && !c->deaf && c->out.len < INPUT_SIZE)
		p[1].fd = c->input;
	do
		n = poll(p, 2, clock_left(c->deadline));
	while (n < 0 && errno == EINTR && clock_left(c->deadline) > 0);
	if (n > 0 && p[1].revents != 0)
		read_input(c);
	return n > 0 ? 0 : -1;
}

/* Makes room after what has been received. */
static void
move_up(struct client *c)
{
	if (c->start == 0)
		return;
	memmove(c->in, c->in + c->start, c->end - c->start);
	c->end -= c->start;
	c->start = 0;
}

/* Receives at least a byte: 1, 0 at the end of the connection, or -1. */
static int
receive(struct client *c)
{
	ssize_t n;

	if (c->out.failed)
		return fail(c, "out of memory");
	move_up(c);
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
		if (n > 0)
			c->end += (size_t)n;
		/* A flood without end must not outrun the deadline either. */
		if (n >= 0 && clock_left(c->deadline) > 0)
			break;
		if (clock_left(c->deadline) == 0 || wait_more(c) != 0)
			return fail(c, "no whole answer within %u second%s",
				c->seconds, c->seconds == 1 ? "" : "s");
	}
	if (n > 0 && looks_like_tls(c))
		return fail(c, "it speaks TLS: leave out 'plain:'");
	return n > 0;
}

int
client_line(struct client *c, char **line, size_t *len)
{
	size_t seen = 0;
	char *lf;
	int got;

	for (;;) {
		lf = memchr(c->in + c->start + seen, '\n',
			c->end - c->start - seen);
		seen = lf ? (size_t)(lf - c->in) - c->start : c->end - c->start;
		if (seen > WIRE_REPLY_MAX)
			return fail(c,
				"a line of more than %d bytes: that is "
				"not bridled",
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
client_bytes(struct client *c, size_t max, char **data, size_t *len)
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
client_close(struct client *c, bool complete)
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
	client_init(c);
}
