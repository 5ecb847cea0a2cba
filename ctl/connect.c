#include "connect.h"

#include "clock.h"
#include "fd.h"
#include "net.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BACKLOG_PAUSE 20 /* ms, while a unix socket's queue is full */

static int fail(struct buf *problem, const char *, ...)
	__attribute__((format(printf, 2, 3)));

static int
fail(struct buf *problem, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_addv(problem, fmt, ap);
	va_end(ap);
	return -1;
}

/* connect(2) that gives up at the deadline. 0, or -1 with errno. */
static int
connect_by(int fd, const struct sockaddr *sa, socklen_t len, int64_t deadline)
{
	socklen_t size = sizeof(int);
	int error;

	while (connect(fd, sa, len) != 0) {
		if (errno == EAGAIN && clock_left(deadline) > 0) {
			poll(NULL, 0, BACKLOG_PAUSE);
			continue;
		}
		if (errno == EAGAIN)
			errno = ETIMEDOUT;
		if (errno != EINPROGRESS && errno != EINTR)
			return -1;
		if (fd_wait(fd, POLLOUT, deadline) != 0 ||
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) !=
				0)
			return -1;
		errno = error;
		return error == 0 ? 0 : -1;
	}
	return 0;
}

/* Whether that is how a host fails, or what would be in its place. */
static bool
is_of_host(int error)
{
	return error == ECONNREFUSED || error == ETIMEDOUT ||
	       error == EHOSTUNREACH || error == EHOSTDOWN ||
	       error == ECONNRESET || error == ENOENT;
}

/* Says why the local daemon cannot be reached, and what to look at. */
static int
fail_unix(const char *path, struct buf *problem)
{
	switch (errno) {
	case ENOENT:
		return fail(problem,
			"no socket at %s: is bridled running? (systemctl "
			"status bridled.socket bridled)",
			path);
	case ECONNREFUSED:
		return fail(problem,
			"nobody listens at %s: is bridled running? (systemctl "
			"status bridled.socket bridled)",
			path);
	case EACCES:
		return fail(problem,
			"may not open %s: are you in the group that owns it? "
			"(ls -l shows it, id shows yours)",
			path);
	default:
		return fail(problem, "%s: %s", path, strerror(errno));
	}
}

static int
open_unix(const char *path, int64_t deadline, bool *tried, struct buf *problem)
{
	struct sockaddr_un un;
	int fd;

	if (net_unix(path, &un) != 0)
		return fail_unix(path, problem);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return fail(
			problem, "no socket to be had: %s", strerror(errno));
	if (connect_by(fd, (struct sockaddr *)&un, sizeof(un), deadline) == 0)
		return fd;
	*tried = is_of_host(errno);
	fd_close(&fd);
	return fail_unix(path, problem);
}

/* One address. -1 with errno. */
static int
open_address(const struct addrinfo *a, int64_t deadline)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	int fd, on = 1;

	fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
		a->ai_protocol);
	if (fd == -1)
		return -1;
	if (connect_by(fd, a->ai_addr, a->ai_addrlen, deadline) != 0) {
		fd_close(&fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return fd;
}

static int
open_host(const struct target *t, int64_t deadline, bool *tried,
	struct buf *problem)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all, *a;
	int result, left = 0, error = 0, fd = -1;

	if ((result = getaddrinfo(t->host, t->port, &hints, &all)) != 0)
		return fail(problem, "%s: %s", t->host,
			result == EAI_SYSTEM ? strerror(errno)
					     : gai_strerror(result));
	for (a = all; a != NULL; a = a->ai_next)
		left++;
	/* A share of the time for each, lest a dead first one eat it all. */
	for (a = all; a != NULL && fd == -1; a = a->ai_next, left--) {
		fd = open_address(a, clock_ms() + clock_left(deadline) / left);
		error = errno;
	}
	freeaddrinfo(all);
	if (fd != -1)
		return fd;
	*tried = is_of_host(error);
	/* Most often the name that stands before it is the address, too. */
	return fail(problem, "cannot connect to %s%sport %s: %s%s",
		strstr(t->name, t->host) ? "" : t->host,
		strstr(t->name, t->host) ? "" : " ", t->port, strerror(error),
		error == ECONNREFUSED
			? ": is bridled running there, with that port?"
			: "");
}

int
connect_target(const struct target *t, int64_t deadline, bool *tried,
	struct buf *problem)
{
	*tried = false;
	if (t->kind == TARGET_UNIX)
		return open_unix(t->host, deadline, tried, problem);
	return open_host(t, deadline, tried, problem);
}
