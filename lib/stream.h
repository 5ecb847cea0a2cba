/*
 * A stream of bytes between two peers over a connected, non-blocking socket,
 * with or without TLS.
 */
#ifndef BRIDLE_STREAM_H
#define BRIDLE_STREAM_H

#include "tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct stream {
	int fd;          /* socket; the caller closes it */
	struct tls *tls; /* TLS, freed by the caller; NULL without TLS */
	/* Events of poll(2) to wait for before the next read or write. */
	short to_read;
	short to_write;
};

/* Set up a stream over a socket, with TLS unless `tls` is NULL. */
void stream_init(struct stream *, int fd, struct tls *);

/*
 * Read like recv(2). Return the number of bytes, 0 at the end of the peer's
 * bytes, or -1 with errno. On EAGAIN, wait for the event `to_read`. EPROTO
 * means that TLS has failed.
 */
ssize_t stream_read(struct stream *, void *, size_t len);

/*
 * Write like send(2) with MSG_NOSIGNAL. Return the number of bytes, or -1 with
 * errno. On EAGAIN, wait for the event `to_write`. EPROTO means that TLS has
 * failed.
 */
ssize_t stream_write(struct stream *, const void *, size_t len);

/*
 * True if TLS holds decrypted bytes, which poll(2) does not report as readable.
 */
bool stream_pending(const struct stream *);

/* Tell the peer that no more bytes follow. The peer may continue to send. */
void stream_end(struct stream *);

#endif
