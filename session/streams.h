/*
 * What goes by in a session while an action runs: its output, and of a
 * command also its errors and its input.
 */
#ifndef BRIDLE_STREAMS_H
#define BRIDLE_STREAMS_H

#include "ask.h"
#include "buf.h"
#include "feed.h"
#include "relay.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

struct streams {
	struct relay out;
	struct relay err;
	struct relay_quota quota; /* of both */
	struct feed in;
	bool detach; /* it goes on without its client */
};

/* Nothing runs yet. */
void streams_init(struct streams *);

/* One pipe, as the message says. 0, or -1 if it is not of that form. */
int streams_take(
	struct streams *, const struct ask_message *, size_t len, int pipe);

/*
 * What to wait for, by enum ask_stream_number; for output only where there is
 * room for it.
 */
void streams_poll(const struct streams *, bool room, struct pollfd *);

/* Reads once from one of the two that is ready; closes it at its end. */
void streams_read(struct relay *, struct buf *out);

/* The action has ended: what stands in the pipes now is all. */
void streams_limit(struct streams *);

/* Whether nothing more will be read. */
bool streams_drained(const struct streams *);

/* Closes all; what is to be said of it goes before the LF of the status. */
void streams_close(struct streams *, struct buf *status);

#endif
