#include "net.h"

#include "clock.h"
#include "fd.h"
#include "text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG SOMAXCONN
#define LOCK_MS 1000

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

bool
net_needs_scope(const struct net_addr *a)
{
	return a->sa.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr) &&
	       a->in6.sin6_scope_id == 0;
}

/*
 * Parse "fe80::1%eth0", or an IPv6 address without "%INTERFACE". Return 0, or
 * -1 if the text is malformed.
 */
static int
parse_in6(char *host, struct sockaddr_in6 *in6)
{
	char *scope = strchr(host, '%');

	if (scope != NULL)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
		return -1;
	if (scope == NULL)
		return 0;
	/* Only a link-local address can have an interface (scope). */
	if (!IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
		return -1;
	in6->sin6_scope_id = if_nametoindex(scope);
	return in6->sin6_scope_id != 0 ? 0 : -1;
}

int
net_parse(const char *s, struct net_addr *a)
{
	char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 3];
	const char *colon = strrchr(s, ':');
	size_t len;
	long port;

	memset(a, 0, sizeof(*a));
	if (colon == NULL || text_number(colon + 1, 0, 65535, &port) != 0)
		return -1;
	len = (size_t)(colon - s);
	if (len == 0 || len >= sizeof(host))
		return -1;
	memcpy(host, s, len);
	host[len] = '\0';
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons((uint16_t)port);
		a->len = sizeof(a->in6);
		return parse_in6(host + 1, &a->in6);
	}
	a->in.sin_family = AF_INET;
	a->in.sin_port = htons((uint16_t)port);
	a->len = sizeof(a->in);
	return inet_pton(AF_INET, host, &a->in.sin_addr) == 1 ? 0 : -1;
}

void
net_format(const struct net_addr *a, struct buf *out)
{
	char host[INET6_ADDRSTRLEN], name[IF_NAMESIZE];
	unsigned scope;

	if (a->sa.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &a->in6.sin6_addr, host, sizeof(host));
		buf_addf(out, "[%s", host);
		if ((scope = a->in6.sin6_scope_id) != 0)
			buf_addf(out, "%%%s",
				if_indextoname(scope, name) ? name : "?");
		buf_addf(out, "]:%u", ntohs(a->in6.sin6_port));
	} else {
		inet_ntop(AF_INET, &a->in.sin_addr, host, sizeof(host));
		buf_addf(out, "%s:%u", host, ntohs(a->in.sin_port));
	}
}

void
net_unmap(struct net_addr *a)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (a->sa.sa_family != AF_INET6 ||
		!IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
		return;
	in.sin_port = a->in6.sin6_port;
	memcpy(&in.sin_addr, a->in6.sin6_addr.s6_addr + 12, 4);
	memset(a, 0, sizeof(*a));
	a->in = in;
	a->len = sizeof(in);
}

void
net_bytes(const struct net_addr *a, uint8_t bytes[16])
{
	if (a->sa.sa_family == AF_INET6) {
		memcpy(bytes, a->in6.sin6_addr.s6_addr, 16);
		return;
	}
	memcpy(bytes, mapped_prefix, 12);
	memcpy(bytes + 12, &a->in.sin_addr, 4);
}

bool
net_same(const struct net_addr *a, const struct net_addr *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET6)
		return a->in6.sin6_port == b->in6.sin6_port &&
		       a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
		       memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 16) == 0;
	return a->in.sin_port == b->in.sin_port &&
	       a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
}

bool
net_is_loopback(const struct net_addr *a)
{
	struct net_addr plain = *a;

	net_unmap(&plain);
	if (plain.sa.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&plain.in6.sin6_addr);
	return ntohl(plain.in.sin_addr.s_addr) >> 24 == 127;
}

int
net_block_parse(const char *s, struct net_block *b)
{
	char host[INET6_ADDRSTRLEN];
	const char *slash = strchr(s, '/');
	size_t len = slash ? (size_t)(slash - s) : strlen(s), i;
	long bits;

	memset(b, 0, sizeof(*b));
	if (len == 0 || len >= sizeof(host))
		return -1;
	memcpy(host, s, len);
	host[len] = '\0';
	if (inet_pton(AF_INET, host, b->bytes + 12) == 1) {
		memcpy(b->bytes, mapped_prefix, 12);
		bits = 32;
	} else if (inet_pton(AF_INET6, host, b->bytes) == 1) {
		bits = 128;
	} else {
		return -1;
	}
	b->bits = 128 - (unsigned)bits;
	if (slash != NULL && text_number(slash + 1, 0, bits, &bits) != 0)
		return -1;
	b->bits += (unsigned)bits;
	for (i = b->bits; i < 128; i++)
		if (b->bytes[i / 8] & (0x80 >> i % 8))
			return -1;
	return 0;
}

static bool
has_prefix(const struct net_block *b, const uint8_t bytes[16])
{
	unsigned whole = b->bits / 8, rest = b->bits % 8;

	/*
	 * An IPv6 network such as ::/0 must not contain an IPv4 address. The
	 * address looks like an IPv6 address here only because net_bytes() has
	 * mapped it to IPv6.
	 */
	if (b->bits < 96 && memcmp(bytes, mapped_prefix, 12) == 0)
		return false;
	if (memcmp(bytes, b->bytes, whole) != 0)
		return false;
	return rest == 0 || ((bytes[whole] ^ b->bytes[whole]) &
				    (0xff00 >> rest & 0xff)) == 0;
}

bool
net_block_contains(const struct net_block *b, const struct net_addr *a)
{
	uint8_t bytes[16];

	net_bytes(a, bytes);
	return has_prefix(b, bytes);
}

bool
net_block_covers(const struct net_block *a, const struct net_block *b)
{
	return a->bits <= b->bits && has_prefix(a, b->bytes);
}

/*
 * Set options that accepted sockets inherit. With these options, a socket sends
 * small segments without delay, and detects within a minute that a peer has
 * vanished. Return 0, or -1 with errno.
 */
static int
set_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ SOL_SOCKET, SO_REUSEADDR, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 30 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 10 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 3 },
	};
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (setsockopt(fd, options[i].level, options[i].name,
			    &options[i].value, sizeof(int)) != 0)
			return -1;
	return 0;
}

int
net_listen(const struct net_addr *a)
{
	int on = 1, off = 0, fd;

	fd = socket(
		a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (set_options(fd) != 0)
		goto fail;
	if (a->sa.sa_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
			IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr) ? &off : &on,
			sizeof(int)) != 0)
		goto fail;
	if (bind(fd, &a->sa, a->len) != 0 || listen(fd, BACKLOG) != 0)
		goto fail;
	return fd;
fail:
	fd_close(&fd);
	return -1;
}

int
net_unix(const char *path, struct sockaddr_un *un)
{
	size_t len = strlen(path);

	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	if (len == 0 || len >= sizeof(un->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(un->sun_path, path, len + 1);
	return 0;
}

/*
 * Remove a socket file at which no process listens. Return 0 if the path is
 * free now, or -1 with errno.
 */
static int
clear_path(const char *path, const struct sockaddr_un *un)
{
	struct stat st;
	int fd, result;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	result = connect(fd, (const struct sockaddr *)un, sizeof(*un));
	if (result != 0 && errno == ECONNREFUSED)
		result = unlink(path);
	else if (result == 0 || errno == EAGAIN)
		errno = EADDRINUSE, result = -1;
	fd_close(&fd);
	return result;
}

int
net_own_unix(const char *path, mode_t mode, uid_t owner, gid_t group)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return -1;
	if (((owner != (uid_t)-1 && owner != st.st_uid) ||
		    (group != (gid_t)-1 && group != st.st_gid)) &&
		lchown(path, owner, group) != 0)
		return -1;
	return fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW);
}

/*
 * Lock the folder of a socket file. Otherwise a daemon could remove the socket
 * file of another daemon that has not called listen(2) yet. Wait only for a
 * limited time, because any user who can read the folder can hold this lock.
 * After this time, continue without the lock. Return the descriptor of the
 * folder, or -1; the caller closes the descriptor.
 */
static int
lock_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL
			       ? strdup(".")
			       : strndup(path, (size_t)(slash - path) + 1);
	int64_t deadline = clock_ms() + LOCK_MS;
	int fd = -1;

	if (folder != NULL)
		fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	while (fd != -1 && flock(fd, LOCK_EX | LOCK_NB) != 0 &&
		errno == EWOULDBLOCK && clock_ms() < deadline)
		poll(NULL, 0, 5);
	return fd;
}

static int
bind_and_listen(int fd, const struct sockaddr_un *un, mode_t mode, uid_t owner,
	gid_t group)
{
	mode_t mask;
	int result, why;

	/*
	 * With this umask, no client can connect before owner and mode are set.
	 */
	mask = umask(0777);
	result = bind(fd, (const struct sockaddr *)un, sizeof(*un));
	umask(mask);
	if (result != 0)
		return -1;
	if (net_own_unix(un->sun_path, mode, owner, group) == 0 &&
		listen(fd, BACKLOG) == 0)
		return 0;
	why = errno;
	unlink(un->sun_path);
	errno = why;
	return -1;
}

int
net_listen_unix(const char *path, mode_t mode, uid_t owner, gid_t group)
{
	struct sockaddr_un un;
	int fd = -1, lock;

	if (net_unix(path, &un) != 0)
		return -1;
	lock = lock_folder(path);
	if (clear_path(path, &un) == 0)
		fd = socket(
			AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd != -1 && bind_and_listen(fd, &un, mode, owner, group) != 0)
		fd_close(&fd);
	fd_close(&lock);
	return fd;
}
