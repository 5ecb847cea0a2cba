/*
 * Fetches the key that a host shows.
 */
#ifndef BRIDLE_TRUST_FETCH_H
#define BRIDLE_TRUST_FETCH_H

#include "buf.h"
#include "remote/endpoint.h"
#include "tls.h"

/*
 * Connect to the host by TLS, and set `fingerprint` to the fingerprint of the
 * key that the host shows. The user's key is not sent. Returns 0, or -1 with
 * lines appended to problem.
 */
int trust_fetch(const struct endpoint *, char fingerprint[TLS_FINGERPRINT_SIZE],
	struct buf *problem);

#endif
