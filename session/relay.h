/*
 * The session's end of an action's pipe: from there to the client.
 */
#ifndef BRIDLE_RELAY_H
#define BRIDLE_RELAY_H

#include "ask.h"
#include "buf.h"

#include <stdbool.h>
#include <stddef.h>

/* What of a run's output is passed on, whichever stream it comes from. */
struct relay_quota {
	uint64_t left;
	uint64_t dropped;
};

struct relay {
	int pipe; /* -1: none is open */
	enum ask_relay mode;
	unsigned stream;           /* RELAY_STREAM: its number */
	struct relay_quota *quota; /* RELAY_STREAM: the caller's */
	size_t left;               /* at most so many bytes are still read */
	struct buf line;           /* RELAY_LINES: the begun last line */
	bool skip;                 /* which was too long: drop it to its end */
	struct buf capture;        /* RELAY_CAPTURE: the first bytes */
};

/* Takes the descriptor over, which must be non-blocking. */
void relay_open(struct relay *, int pipe, enum ask_relay);

/*
 * The same for a stream of a run, whose bytes go on as chunks until the quota,
 * which must live as long, is used up. What exceeds it is dropped.
 */
void relay_open_stream(
	struct relay *, int pipe, unsigned stream, struct relay_quota *);

/*
 * Reads once and appends whole lines, or a chunk, to out. 1 if there may be
 * more at once, 0 at the end of what is there (EOF, or nothing left to wait
 * for), -1 when there is nothing now.
 */
int relay_read(struct relay *, struct buf *out);

/*
 * The action has ended: what stands in the pipe now is all that is wanted,
 * whoever else may still hold its other end.
 */
void relay_limit(struct relay *);

/*
 * Closes. A begun line is dropped; with RELAY_CAPTURE the first line of the
 * output is put into the status line, before its LF.
 */
void relay_close(struct relay *, struct buf *status);

#endif
