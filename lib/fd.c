#include "fd.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define READ_STEP 16384

void
fd_close(int *fd)
{
	int saved = errno;

	if (*fd != -1)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int
fd_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1)
		return -1;
	return fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ? -1 : 0;
}

int
fd_wait(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&p, 1, clock_left(deadline));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0 ? 0 : -1;
}

int
fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

char *
fd_read_all(int fd, size_t max, size_t *len)
{
	size_t size = 0, have = 0;
	char *data = NULL, *more;
	ssize_t n;

	for (;;) {
		if (size - have < 2) {
			size += READ_STEP;
			if ((more = realloc(data, size)) == NULL)
				goto fail;
			data = more;
		}
		n = read(fd, data + have, size - have - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			goto fail;
		if (n == 0)
			break;
		have += (size_t)n;
		if (have > max) {
			errno = EFBIG;
			goto fail;
		}
	}
	data[have] = '\0';
	*len = have;
	return data;
fail:
	free(data);
	return NULL;
}

int
fd_send(int sock, const void *head, size_t headlen, const void *body,
	size_t bodylen, int pass)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov[2] = { { (void *)(uintptr_t)head, headlen },
		{ (void *)(uintptr_t)body, bodylen } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = body ? 2 : 1 };
	struct cmsghdr *c;
	ssize_t n;

	if (pass != -1) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = control.space;
		msg.msg_controllen = sizeof(control.space);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &pass, sizeof(int));
	}
	do
		n = sendmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

/*
 * Return the descriptor that the message carries, or -1. The buffer has room
 * for one descriptor, and the kernel has closed all other descriptors of the
 * message.
 */
static int
take_passed(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd;

	if (c == NULL || c->cmsg_level != SOL_SOCKET ||
		c->cmsg_type != SCM_RIGHTS ||
		c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}

ssize_t
fd_recv(int sock, void *data, size_t size, int flags, int *passed)
{
	/*
	 * Use CMSG_LEN(), because CMSG_SPACE(sizeof(int)) has room for two
	 * descriptors. Nothing would close the second descriptor.
	 */
	union {
		struct cmsghdr align;
		char space[CMSG_LEN(sizeof(int))];
	} control;
	struct iovec iov = { data, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (passed != NULL) {
		*passed = -1;
		msg.msg_control = control.space;
		msg.msg_controllen = sizeof(control.space);
	}
	do
		n = recvmsg(sock, &msg, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	if (passed != NULL)
		*passed = take_passed(&msg);
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		if (passed != NULL)
			fd_close(passed);
		errno = EMSGSIZE;
		return -1;
	}
	return n;
}

int
fd_std_open(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) == -1 &&
			open("/dev/null",
				fd == STDOUT_FILENO ? O_RDONLY : O_RDWR) != fd)
			return -1;
	return 0;
}
