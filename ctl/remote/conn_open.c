#include "remote/conn_open.h"

#include "clock.h"
#include "fd.h"
#include "net.h"
#include "util/installed.h"
#include "util/problem.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>

/* ms between two attempts to connect, if the backlog is full */
#define BACKLOG_PAUSE 20

/*
 * Connect a socket, but wait only until the deadline. Returns 0, or -1 with
 * errno set.
 */
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

/* True if the error came from the remote host, not from this machine. */
static bool
is_of_host(int error)
{
	return error == ECONNREFUSED || error == ETIMEDOUT ||
	       error == EHOSTUNREACH || error == EHOSTDOWN ||
	       error == ECONNRESET || error == ENOENT;
}

static bool
is_default(const char *path)
{
	return strcmp(path, strchr(TARGET_DEFAULT, ':') + 1) == 0;
}

/*
 * Append the reason why bridlectl cannot reach the local daemon, and what the
 * user can check. The reason is in errno. Always return -1.
 */
static int
fail_unix(const char *path, struct buf *problem)
{
	if (errno == ENOENT && is_default(path) && !installed_bridled())
		return problem_add(problem,
			"bridled is not installed on this machine; name a "
			"host, as in 'bridlectl -H HOST list'");
	if (errno == ENOENT || errno == ECONNREFUSED)
		return problem_add(problem,
			"%s %s: is bridled running? (systemctl status "
			"bridled.socket bridled)",
			errno == ENOENT ? "no socket at"
					: "no daemon listens at",
			path);
	if (errno == EACCES)
		return problem_add(problem,
			"no permission for %s: are you in the group of this "
			"socket? ('ls -l' shows its group, 'id' your groups)",
			path);
	return problem_add(problem, "%s: %s", path, strerror(errno));
}

/* Connect to the unix socket at this path, unless its backlog is full. */
static bool
try_unix(int fd, const char *path)
{
	struct sockaddr_un un;

	return net_unix(path, &un) == 0 &&
	       connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0;
}

static int
open_unix(const struct target *t, int64_t deadline, bool *tried,
	struct buf *problem)
{
	const char *path = t->host;
	struct sockaddr_un un;
	int fd;

	if (net_unix(path, &un) != 0)
		return fail_unix(path, problem);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return problem_add(
			problem, "cannot create a socket: %s", strerror(errno));
	if (t->first != NULL && try_unix(fd, t->first))
		return fd;
	if (connect_by(fd, (struct sockaddr *)&un, sizeof(un), deadline) == 0)
		return fd;
	*tried = is_of_host(errno);
	fd_close(&fd);
	return fail_unix(path, problem);
}

/* Return a socket that is connected to the address, or -1 with errno set. */
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

/*
 * Append the reason why a name has no address. `error` is a result of
 * getaddrinfo(3). Always return -1.
 */
static int
fail_name(const char *host, int error, struct buf *problem)
{
	return problem_add(problem, "no address found for '%s': %s%s", host,
		error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error),
		error == EAI_AGAIN
			? "; the name service does not reply: try again later"
			: "; check the name with 'getent hosts NAME', or set "
			  "an address in bridlectl.conf");
}

static int
open_host(const struct target *t, int64_t deadline, bool *tried,
	struct buf *problem)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all, *a;
	int result, left = 0, error = 0, fd = -1;

	if ((result = getaddrinfo(t->host, t->port, &hints, &all)) != 0)
		return fail_name(t->host, result, problem);
	for (a = all; a != NULL; a = a->ai_next)
		left++;
	/*
	 * Divide the time among the addresses, because the first address may
	 * not reply.
	 */
	for (a = all; a != NULL && fd == -1; a = a->ai_next, left--) {
		fd = open_address(a, clock_ms() + clock_left(deadline) / left);
		error = errno;
	}
	freeaddrinfo(all);
	if (fd != -1)
		return fd;
	*tried = is_of_host(error);
	/*
	 * The caller prints the target's name before this text. If this name
	 * already contains the address, omit the address here.
	 */
	return problem_add(problem, "cannot connect to %s%sport %s: %s%s",
		strstr(t->name, t->host) ? "" : t->host,
		strstr(t->name, t->host) ? "" : " ", t->port, strerror(error),
		error == ECONNREFUSED
			? "; is bridled running there, with this port?"
			: "");
}

int
conn_connect(const struct target *t, int64_t deadline, bool *tried,
	struct buf *problem)
{
	*tried = false;
	if (t->kind == TARGET_UNIX)
		return open_unix(t, deadline, tried, problem);
	return open_host(t, deadline, tried, problem);
}
