#include "activation.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST 3 /* sd_listen_fds(3) */
#define MOST 256

/* How many are passed to us, and not to a process that started us. */
static size_t
take_count(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	long n = 0;

	if (pid != NULL && fds != NULL && atol(pid) == getpid())
		n = atol(fds);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return n > 0 && n <= MOST ? (size_t)n : 0;
}

static bool
is_listening_stream(int fd)
{
	int type, listens;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_STREAM &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 &&
	       listens;
}

/* Where it listens; -1 if that is nowhere that a setting could name. */
static int
read_place(int fd, struct listener *l)
{
	struct net_addr addr = { .len = sizeof(addr.ss) };
	struct sockaddr_un un;

	if (getsockname(fd, &addr.sa, &addr.len) != 0)
		return -1;
	if (addr.sa.sa_family == AF_INET || addr.sa.sa_family == AF_INET6) {
		net_unmap(&addr);
		l->addr = addr;
		return 0;
	}
	if (addr.sa.sa_family != AF_UNIX || addr.len > sizeof(un))
		return -1;
	memset(&un, 0, sizeof(un));
	memcpy(&un, &addr.ss, addr.len);
	if (un.sun_path[0] != '/')
		return -1;
	l->unix_path = strndup(un.sun_path, sizeof(un.sun_path));
	return l->unix_path != NULL ? 0 : -1;
}

static int
take(int fd, struct listener *l, struct buf *errors)
{
	l->fd = fd;
	l->passed = true;
	if (is_listening_stream(fd) && read_place(fd, l) == 0 &&
		fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fd_nonblock(fd) == 0)
		return 0;
	buf_addf(errors,
		"descriptor %d was passed to us, and is not a listening "
		"stream socket with a path or an address\n",
		fd);
	return -1;
}

int
activation_take(struct listeners *out, struct buf *errors)
{
	size_t count = take_count();
	int result = 0;

	memset(out, 0, sizeof(*out));
	if (count == 0)
		return 0;
	if ((out->v = calloc(count, sizeof(*out->v))) == NULL) {
		buf_adds(errors, "out of memory\n");
		return -1;
	}
	for (; out->n < count; out->n++)
		result |= take(FIRST + (int)out->n, &out->v[out->n], errors);
	if (result != 0)
		listeners_close(out);
	return result;
}
