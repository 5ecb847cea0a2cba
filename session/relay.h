/*
 * Functions that relay the output of an action from its pipe to the client.
 */
#ifndef BRIDLE_RELAY_H
#define BRIDLE_RELAY_H

#include "buf.h"
#include "privsep.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The limit of the output of a command. Both output streams of the command
 * share this quota.
 */
struct relay_quota {
	uint64_t left;
	uint64_t dropped;
};

struct relay {
	int pipe; /* pipe from the action; -1 if there is no open pipe */
	enum privsep_relay mode;
	unsigned stream; /* number of the stream (RELAY_STREAM) */
	/* quota of the command (RELAY_STREAM); owned by the caller */
	struct relay_quota *quota;
	size_t left; /* maximum number of bytes still to read */
	/* beginning of a line whose LF is not read yet (RELAY_LINES) */
	struct buf line;
	/* the line was too long: bytes are dropped up to the next LF */
	bool skip;
	struct buf capture; /* first bytes of the output (RELAY_CAPTURE) */
};

/*
 * Start to relay the output from the pipe. Take ownership of the descriptor
 * `pipe`, which must be non-blocking.
 */
void relay_open(struct relay *, int pipe, enum privsep_relay);

/*
 * Like relay_open(), but for a stream of a command. The session sends the
 * stream as chunks, and drops bytes beyond the quota. The quota must live as
 * long as the relay.
 */
void relay_open_stream(
	struct relay *, int pipe, unsigned stream, struct relay_quota *);

/*
 * Call read(2) once, and append complete lines or a chunk to `out`. Return 1 if
 * more output may follow, or 0 at the end of the output. Return -1 if no output
 * is available now.
 */
int relay_read(struct relay *, struct buf *out);

/*
 * Limit reading to the bytes that are in the pipe now. Call this function when
 * the action has ended, because another process can still have the pipe open.
 */
void relay_limit(struct relay *);

/*
 * Close the pipe and free the buffers. Drop a line that has no LF yet. With
 * RELAY_CAPTURE, insert the first line of the output before the LF of the
 * status line.
 */
void relay_close(struct relay *, struct buf *status);

#endif
