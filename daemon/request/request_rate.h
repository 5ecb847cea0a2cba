/*
 * The limit of the rate at which the sessions of one source may send messages.
 * If the sessions send faster, the parent reads their channels later. No
 * message is refused.
 */
#ifndef BRIDLE_REQUEST_RATE_H
#define BRIDLE_REQUEST_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* maximum number of messages a second from one source */
#define REQUEST_RATE 2000
/* maximum number of messages without delay, after a pause */
#define REQUEST_RATE_BURST 200

struct request_rate {
	unsigned sessions; /* number of sessions that share this struct */
	/*
	 * time in µs until which messages are paid for, by the clock of
	 * clock_ms()
	 */
	int64_t paid;
};

/* Count a message that was read at the time `now` of clock_ms(). */
void request_rate_count(struct request_rate *, int64_t now);

/* Return the value of clock_ms() at which the next message may be read. */
int64_t request_rate_ready(const struct request_rate *);

#endif
