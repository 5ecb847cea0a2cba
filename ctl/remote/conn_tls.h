/*
 * Does the TLS handshake with a daemon, within a deadline.
 */
#ifndef BRIDLE_CONN_TLS_H
#define BRIDLE_CONN_TLS_H

#include "buf.h"
#include "hosts/target.h"
#include "tls.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Do the handshake over a connected socket. On success, return 0 and store the
 * fingerprint of the host's key. The caller must check this fingerprint. On
 * failure, return -1 with a sentence appended to problem. If a busy daemon has
 * sent a status line without TLS, *refused becomes true. This line is still in
 * the socket.
 */
int conn_tls_handshake(struct tls *, int fd, const struct target *,
	int64_t deadline, char fingerprint[TLS_FINGERPRINT_SIZE], bool *refused,
	struct buf *problem);

#endif
