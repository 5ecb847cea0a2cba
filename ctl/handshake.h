/*
 * The handshake of TLS with a daemon, within a deadline.
 */
#ifndef BRIDLE_HANDSHAKE_H
#define BRIDLE_HANDSHAKE_H

#include "buf.h"
#include "targets.h"
#include "tls.h"

#include <stdint.h>

/*
 * Does it over that connected socket. 0, and the fingerprint of the host's
 * key, which is yet to be judged; or -1 with sentences appended to problem.
 */
int handshake_run(struct tls *, int fd, const struct target *, int64_t deadline,
	char fingerprint[TLS_FINGERPRINT_SIZE], struct buf *problem);

#endif
