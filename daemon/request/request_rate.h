/*
 * The limit on the rate at which the sessions of one source send messages. If
 * the sessions send faster, the parent reads their channels later. No message
 * is refused.
 */
#ifndef BRIDLE_REQUEST_RATE_H
#define BRIDLE_REQUEST_RATE_H

#include "net/peer.h"

#include <stdint.h>
#include <sys/queue.h>

/* maximum number of messages a second from one source */
#define REQUEST_RATE 2000
/* maximum number of messages without delay, after a pause */
#define REQUEST_RATE_BURST 200

struct request_rate {
	TAILQ_ENTRY(request_rate) entry;
	struct peer_source source;
	unsigned sessions; /* number of sessions that share this struct */
	/*
	 * time of clock_ms() in µs; each message adds 1 s / REQUEST_RATE to
	 * this time
	 */
	int64_t paid;
};

/*
 * The rates of all sources that have a session, or had a session a short time
 * ago.
 */
TAILQ_HEAD(request_rates, request_rate);

/*
 * Return the rate of the source for another session, or NULL if memory has run
 * out. Free the rates that are no longer needed at the time `now` of
 * clock_ms(). The caller must call request_rates_leave() when the session ends.
 */
struct request_rate *request_rates_join(
	struct request_rates *, const struct peer_source *, int64_t now);

/*
 * Count one session less for the rate. The rate stays in the list until the
 * time `paid` has passed, because the client can connect again at once.
 */
void request_rates_leave(struct request_rate *);

/* Count a message that was read at the time `now` of clock_ms(). */
void request_rate_count(struct request_rate *, int64_t now);

/* Return the value of clock_ms() at which the next message can be read. */
int64_t request_rate_ready(const struct request_rate *);

#endif
