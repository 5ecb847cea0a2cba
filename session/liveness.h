/*
 * Functions that detect that the client of a watch is gone.
 */
#ifndef BRIDLE_LIVENESS_H
#define BRIDLE_LIVENESS_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Number of heartbeats without a sign of life after which the client counts as
 * gone.
 */
#define LIVENESS_BEATS 3
/* Maximum number of unsent bytes for a client of a watch that does not read. */
#define LIVENESS_QUEUE (1u << 20)

/* The state of a watch. Zero the struct at the beginning of a watch. */
struct liveness {
	bool pings; /* the client has sent a ping during the watch */
	bool heard; /* the client has sent a ping since the last heartbeat */
	bool asked; /* the parent has not replied to the last ping yet */
	uint64_t taken; /* number of bytes acknowledged at the last heartbeat */
	/* number of consecutive heartbeats without a sign of life */
	unsigned silent;
};

/* True if the line is a ping. If true, record the ping in the struct. */
bool liveness_ping(struct liveness *, const char *line, size_t len);

/*
 * Count a heartbeat that the parent sends without a ping from the client. Do
 * not call this function for a reply to a ping, because this reply is no sign
 * of life. `taken` is the number of bytes that the client's machine has
 * acknowledged. `all` is true if every byte is acknowledged. Return true if the
 * client was silent for LIVENESS_BEATS heartbeats.
 */
bool liveness_beat(struct liveness *, uint64_t taken, bool all);

/*
 * Drop the unsent output, except the remaining bytes of a line that is partly
 * sent. `sent` is the number of bytes of `out` that are sent.
 */
void liveness_cut(struct buf *out, size_t sent);

#endif
