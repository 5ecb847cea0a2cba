/*
 * The handshake of TLS in a session, and what the parent hears of it.
 */
#ifndef BRIDLE_GREETING_H
#define BRIDLE_GREETING_H

#include "stream.h"
#include "wire.h"

enum greeting {
	GREETING_MORE,  /* it waits for what the stream's `to_read` says */
	GREETING_DONE,  /* the parent knows who came */
	GREETING_PLAIN, /* the client speaks plainly */
	GREETING_FAILED /* there is nobody to speak with */
};

/* What GREETING_PLAIN is answered, plainly. */
#define GREETING_ANSWER "1#401#" WIRE_TLS_ONLY "\n"

/* As far as it goes without waiting; `ask` is the channel to the parent. */
enum greeting greeting_step(struct stream *, int ask);

#endif
