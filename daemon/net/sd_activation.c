#include "net/sd_activation.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST 3 /* first passed descriptor, see sd_listen_fds(3) */
/* Maximum number of passed sockets. bridled-generator makes fewer sockets. */
#define MOST 1024
#define ROOT_NAME "root" /* name that bridled-root.socket gives its socket */

/*
 * Return the number of sockets passed to this process, and unset the variables
 * $LISTEN_*. Return 0 if the sockets are for another process. The caller frees
 * *names, which may be NULL.
 */
static size_t
take_count(char **names)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	const char *text = getenv("LISTEN_FDNAMES");
	long n = 0;

	*names = text != NULL ? strdup(text) : NULL;
	if (pid != NULL && fds != NULL && atol(pid) == getpid())
		n = atol(fds);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return n > 0 ? (size_t)n : 0;
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

/*
 * Read the address of a listening socket. Return 0, or -1 if the setting
 * `listen` cannot express the address, for example an abstract address.
 */
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
take_socket(int fd, struct listener *l, struct buf *errors)
{
	l->fd = fd;
	l->passed = true;
	if (is_listening_stream(fd) && read_place(fd, l) == 0 &&
		fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fd_nonblock(fd) == 0)
		return 0;
	buf_addf(errors,
		"descriptor %d of the service manager must be a listening "
		"stream socket with a path or an IP address: correct its "
		"socket unit\n",
		fd);
	return -1;
}

/*
 * Warn of a TCP address in the unit of the unix socket. Version 0.1 needed such
 * addresses in drop-ins of this unit.
 */
static void
warn_of_drop_in(
	const struct listener *l, const char *name, struct buf *warnings)
{
	if (name == NULL || l->unix_path != NULL ||
		strcmp(name, "bridled.socket") != 0)
		return;
	buf_adds(warnings, "ListenStream=");
	net_format(&l->addr, warnings);
	buf_adds(warnings, " of bridled.socket is no longer needed: remove it "
			   "(systemctl edit bridled.socket); `listen` of the "
			   "configuration is enough\n");
}

/* Apply the name from FileDescriptorName= in the socket unit. */
static void
take_name(struct listener *l, const char *name, struct buf *warnings)
{
	l->root = name != NULL && strcmp(name, ROOT_NAME) == 0 &&
		  l->unix_path != NULL;
	warn_of_drop_in(l, name, warnings);
}

int
sd_activation_take(struct listeners *out, struct buf *errors)
{
	char *names, *next;
	size_t count = take_count(&names);
	int result = 0;

	memset(out, 0, sizeof(*out));
	if (count > MOST) {
		buf_addf(errors,
			"the service manager passes %zu sockets, but at most "
			"%d are possible: remove socket units\n",
			count, MOST);
		count = 0;
		result = -1;
	}
	if (count > 0 && (out->v = calloc(count, sizeof(*out->v))) == NULL) {
		buf_adds(errors, "out of memory\n");
		count = 0;
		result = -1;
	}
	for (next = names; out->n < count; out->n++) {
		result |= take_socket(
			FIRST + (int)out->n, &out->v[out->n], errors);
		take_name(&out->v[out->n],
			next != NULL ? strsep(&next, ":") : NULL, errors);
	}
	free(names);
	if (result != 0)
		listeners_close(out);
	return result;
}
