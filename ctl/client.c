#include "client.h"

#include "clock.h"
#include "fd.h"
#include "net.h"
#include "wire.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_SIZE 131072
#define BACKLOG_PAUSE 20 /* ms, while a unix socket's queue is full */

static int fail(struct client *, const char *, ...)
	__attribute__((format(printf, 2, 3)));

static int
fail(struct client *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->problem, sizeof(c->problem), fmt, ap);
	va_end(ap);
	return -1;
}

static int
remaining(int64_t deadline)
{
	int64_t left = deadline - clock_ms();

	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* 0 once the socket is ready, or -1 with errno. */
static int
wait_ready(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&p, 1, remaining(deadline));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0 ? 0 : -1;
}

/* connect(2) that gives up at the deadline. 0, or -1 with errno. */
static int
connect_by(int fd, const struct sockaddr *sa, socklen_t len, int64_t deadline)
{
	socklen_t size = sizeof(int);
	int error;

	while (connect(fd, sa, len) != 0) {
		if (errno == EAGAIN && remaining(deadline) > 0) {
			poll(NULL, 0, BACKLOG_PAUSE);
			continue;
		}
		if (errno == EAGAIN)
			errno = ETIMEDOUT;
		if (errno != EINPROGRESS && errno != EINTR)
			return -1;
		if (wait_ready(fd, POLLOUT, deadline) != 0 ||
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) !=
				0)
			return -1;
		errno = error;
		return error == 0 ? 0 : -1;
	}
	return 0;
}

/* Says why the local daemon cannot be reached, and what to look at. */
static int
fail_unix(struct client *c, const char *path)
{
	switch (errno) {
	case ENOENT:
		return fail(c, "no socket at %s: is bridled running?", path);
	case ECONNREFUSED:
		return fail(
			c, "nobody listens at %s: is bridled running?", path);
	case EACCES:
		return fail(c,
			"may not open %s: are you in the group that owns it? "
			"(ls -l shows it, id shows yours)",
			path);
	default:
		return fail(c, "%s: %s", path, strerror(errno));
	}
}

static int
open_unix(struct client *c, const char *path)
{
	struct sockaddr_un un;

	if (net_unix(path, &un) != 0)
		return fail_unix(c, path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd == -1)
		return fail(c, "no socket to be had: %s", strerror(errno));
	if (connect_by(c->fd, (struct sockaddr *)&un, sizeof(un),
		    c->deadline) != 0)
		return fail_unix(c, path);
	return 0;
}

/* One address; on success the socket is set up. 0, or -1 with errno. */
static int
open_address(struct client *c, const struct addrinfo *a, int64_t deadline)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	int on = 1;

	c->fd = socket(a->ai_family,
		a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
	if (c->fd == -1)
		return -1;
	if (connect_by(c->fd, a->ai_addr, a->ai_addrlen, deadline) != 0) {
		fd_close(&c->fd);
		return -1;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(c->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	c->tcp = true;
	return 0;
}

static int
open_plain(struct client *c, const struct target *t)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all, *a;
	int result, left = 0, error = 0;

	if ((result = getaddrinfo(t->host, t->port, &hints, &all)) != 0)
		return fail(c, "%s: %s", t->host,
			result == EAI_SYSTEM ? strerror(errno)
					     : gai_strerror(result));
	for (a = all; a != NULL; a = a->ai_next)
		left++;
	/* A share of the time for each, lest a dead first one eat it all. */
	for (a = all; a != NULL; a = a->ai_next, left--) {
		result = open_address(
			c, a, clock_ms() + remaining(c->deadline) / left);
		if (result == 0)
			break;
		error = errno;
	}
	freeaddrinfo(all);
	if (a != NULL)
		return 0;
	return fail(c, "cannot connect to %s port %s: %s%s", t->host, t->port,
		strerror(error),
		error == ECONNREFUSED
			? ": is bridled running there, with that port?"
			: "");
}

int
client_open(struct client *c, const struct target *t, unsigned seconds)
{
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	client_time(c, seconds);
	/* One byte more than is read: the line's end must be writable. */
	if ((c->in = malloc(BUFFER_SIZE + 1)) == NULL)
		return fail(c, "out of memory");
	return t->kind == TARGET_UNIX ? open_unix(c, t->host)
				      : open_plain(c, t);
}

void
client_time(struct client *c, unsigned seconds)
{
	c->seconds = seconds;
	c->deadline = clock_ms() + (int64_t)seconds * 1000;
}

/* Sends what the socket takes now. */
static void
flush_out(struct client *c)
{
	ssize_t n;

	while (c->out.len > 0) {
		n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL);
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
}

void
client_send(struct client *c, const char *data, size_t len)
{
	if (c->deaf)
		return;
	buf_add(&c->out, data, len);
	flush_out(c);
}

/* Receives at least a byte: 1, 0 at the end of the connection, or -1. */
static int
receive(struct client *c)
{
	short events;
	ssize_t n;

	if (c->out.failed)
		return fail(c, "out of memory");
	if (c->start > 0) {
		memmove(c->in, c->in + c->start, c->end - c->start);
		c->end -= c->start;
		c->start = 0;
	}
	for (;;) {
		flush_out(c);
		n = recv(c->fd, c->in + c->end, BUFFER_SIZE - c->end, 0);
		if (n < 0 && errno == EINTR)
			continue;
		/* A flood without end must not outrun the deadline either. */
		if (n >= 0 && remaining(c->deadline) > 0)
			break;
		if (n < 0 && errno != EAGAIN)
			return fail(
				c, "the connection broke: %s", strerror(errno));
		events = c->out.len > 0 ? POLLIN | POLLOUT : POLLIN;
		if (n >= 0 || wait_ready(c->fd, events, c->deadline) != 0)
			return fail(c, "no whole answer within %u second%s",
				c->seconds, c->seconds == 1 ? "" : "s");
	}
	c->end += (size_t)n;
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

void
client_close(struct client *c, bool complete)
{
	struct linger normal = { 0 };

	if (c->tcp && c->fd != -1 && complete)
		setsockopt(
			c->fd, SOL_SOCKET, SO_LINGER, &normal, sizeof(normal));
	fd_close(&c->fd);
	free(c->in);
	c->in = NULL;
	buf_free(&c->out);
}
