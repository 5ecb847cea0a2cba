#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

void
stream_init(struct stream *s, int fd, struct tls *tls)
{
	s->fd = fd;
	s->tls = tls;
	s->to_read = POLLIN;
	s->to_write = POLLOUT;
}

/*
 * Turn a negative result of TLS into -1 with errno. Set *wait to the event of
 * poll(2) that the caller must wait for before the next call. TLS can need to
 * write before it can read, or to read before it can write.
 */
static ssize_t
translate(ssize_t n, short *wait)
{
	if (n >= 0)
		return n;
	if (n == TLS_WANT_READ || n == TLS_WANT_WRITE) {
		*wait = n == TLS_WANT_READ ? POLLIN : POLLOUT;
		errno = EAGAIN;
	} else {
		errno = EPROTO;
	}
	return -1;
}

ssize_t
stream_read(struct stream *s, void *data, size_t len)
{
	if (s->tls == NULL)
		return recv(s->fd, data, len, 0);
	return translate(tls_read(s->tls, data, len), &s->to_read);
}

ssize_t
stream_write(struct stream *s, const void *data, size_t len)
{
	if (s->tls == NULL)
		return send(s->fd, data, len, MSG_NOSIGNAL);
	return translate(tls_write(s->tls, data, len), &s->to_write);
}

bool
stream_pending(const struct stream *s)
{
	return s->tls != NULL && tls_pending(s->tls);
}

void
stream_end(struct stream *s)
{
	if (s->tls != NULL)
		tls_shutdown(s->tls);
	shutdown(s->fd, SHUT_WR);
}
