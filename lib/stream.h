/*
 * The bytes between two peers over a connected, non-blocking socket: as they
 * are, or within TLS. Who reads and writes need not know which.
 */
#ifndef BRIDLE_STREAM_H
#define BRIDLE_STREAM_H

#include "tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct stream {
	int fd;          /* the caller's */
	struct tls *tls; /* NULL: plain; the caller's */
	/* What poll(2) has to wait for, before a read or write is of use. */
	short to_read;
	short to_write;
};

/* Over that socket, within TLS if that is not NULL. */
void stream_init(struct stream *, int fd, struct tls *);

/*
 * As recv(2): 0 at the end of what the peer sends, -1 with errno: EAGAIN
 * after which `to_read` counts, EPROTO where TLS has failed.
 */
ssize_t stream_read(struct stream *, void *, size_t len);

/* As send(2) with MSG_NOSIGNAL; likewise. */
ssize_t stream_write(struct stream *, const void *, size_t len);

/* Whether a read would give bytes that poll(2) does not know of. */
bool stream_pending(const struct stream *);

/* Tells the peer that nothing more comes; it may go on sending. */
void stream_end(struct stream *);

#endif
