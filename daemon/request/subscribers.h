/*
 * Subscribers are the sessions that watch. Each subscriber has its own place in
 * the event history, and reads events from there at its own speed. A slow
 * subscriber does not delay others, and needs no extra memory. If the history
 * drops events that a subscriber has not received, the watch ends.
 */
#ifndef BRIDLE_SUBSCRIBERS_H
#define BRIDLE_SUBSCRIBERS_H

#include "buf.h"
#include "request.h"

#include <stdbool.h>
#include <stdint.h>

struct parent;
struct session;

/*
 * Start the watch of this request. `id` is the request's id. `status` is the
 * status line that ends the watch. Copy `id` and `status`. Return false if
 * memory has run out.
 */
bool subscribers_add(struct parent *, struct session *, const struct request *,
	const char *id, const struct buf *status);

/* Reply to the ping of a subscriber. */
void subscribers_pong(struct parent *, struct session *);

/* End the watch of a client that does not read or is gone. */
void subscribers_stalled(struct parent *, struct session *);

/* Send the heartbeats that are due to the subscribers. */
void subscribers_expire(struct parent *, int64_t now);

/* Send pending events to all subscribers whose channels have room. */
void subscribers_flush(struct parent *);

/* True if events wait until the session's channel has room. */
bool subscribers_pending(const struct parent *, const struct session *);

/*
 * Return the number of subscribers that would receive a message from the client
 * `from`. `to` is the name or the source of the receiving client, or "" for all
 * subscribers.
 */
unsigned subscribers_reach(
	const struct parent *, const char *from, const char *to);

/*
 * Apply the new settings after a reload. End the watches that the policy no
 * longer allows, and update the client names of the other watches.
 */
void subscribers_review(struct parent *);

#endif
