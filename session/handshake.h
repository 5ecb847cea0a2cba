/*
 * The TLS handshake of a session, and the report of the result to the parent.
 */
#ifndef BRIDLE_HANDSHAKE_H
#define BRIDLE_HANDSHAKE_H

#include "stream.h"
#include "wire.h"

enum handshake {
	/* call again when the stream is ready for the events in `to_read` */
	HANDSHAKE_MORE,
	HANDSHAKE_DONE,  /* the parent knows the client's key */
	HANDSHAKE_PLAIN, /* the client does not speak TLS */
	/* the handshake has failed, and the connection must end */
	HANDSHAKE_FAILED
};

/* The reply after HANDSHAKE_PLAIN, sent without TLS. */
#define HANDSHAKE_REPLY "1#401#" WIRE_TLS_ONLY "\n"

/*
 * Continue the handshake without blocking. `parent` is the channel over which
 * the parent gets the result.
 */
enum handshake handshake_step(struct stream *, int parent);

#endif
