/*
 * The streams of a running action. Each action has an output. A command also
 * has an input and a standard error.
 */
#ifndef BRIDLE_STREAMS_H
#define BRIDLE_STREAMS_H

#include "buf.h"
#include "privsep.h"
#include "relay.h"
#include "stdin_relay.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

struct streams {
	struct relay out;
	struct relay err;
	/* quota of the command, which `out` and `err` share */
	struct relay_quota quota;
	struct stdin_relay in;
	bool detach; /* the action continues without its client */
};

/* Initialize the struct for a session without an action. */
void streams_init(struct streams *);

/*
 * Take ownership of the pipe that came with a PRIVSEP_RELAY message of `len`
 * bytes. Return 0, or -1 if the message is malformed.
 */
int streams_take(
	struct streams *, const struct privsep_message *, size_t len, int pipe);

/*
 * Fill in the array of descriptors to poll, indexed by enum
 * privsep_stream_number. Poll the output streams only if `room` is true.
 */
void streams_poll(const struct streams *, bool room, struct pollfd *);

/*
 * Call read(2) once on a stream that is ready, and append the output to `out`.
 * Close the stream at its end.
 */
void streams_read(struct relay *, struct buf *out);

/*
 * Limit reading to the bytes that are in the pipes now. Call this function when
 * the action has ended.
 */
void streams_limit(struct streams *);

/*
 * True if both output streams are closed, so that no more output will be read.
 */
bool streams_drained(const struct streams *);

/*
 * Close all streams. Insert the captured output and the number of truncated
 * bytes before the LF of the status line.
 */
void streams_close(struct streams *, struct buf *status);

#endif
