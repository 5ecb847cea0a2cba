/*
 * Whether the client of a watch is still there, as its session sees it.
 */
#ifndef BRIDLE_VIGIL_H
#define BRIDLE_VIGIL_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VIGIL_BEATS 3          /* so long one may be silent */
#define VIGIL_QUEUE (1u << 20) /* bytes that wait for one who does not read */

/* A zeroed struct is the beginning of a watch. */
struct vigil {
	bool pings; /* it has asked for a heartbeat: it will go on to */
	bool heard; /* it has since the last one */
	bool asked; /* the parent was asked for it, and has not answered */
	uint64_t taken;
	unsigned silent; /* heartbeats without a sign of life */
};

/* Whether a line asks for a heartbeat; notes that it was asked for. */
bool vigil_ping(struct vigil *, const char *line, size_t len);

/*
 * At each heartbeat: `taken` are the bytes that the client's machine has
 * acknowledged, `all` tells whether these are all. Whether the client has
 * been silent too long.
 */
bool vigil_beat(struct vigil *, uint64_t taken, bool all);

/*
 * Of what is not sent yet keeps the line that was begun, puts the last word
 * behind it, and forgets the rest.
 */
void vigil_cut(struct buf *out, size_t sent);

#endif
