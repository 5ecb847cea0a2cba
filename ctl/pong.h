/*
 * The answer to a ping, for people.
 */
#ifndef BRIDLE_PONG_H
#define BRIDLE_PONG_H

#include "invocation.h"
#include "reply.h"

#include <stdint.h>

/*
 * "pong from HOST: bridled 0.1.0, up 3h 2m, 0.4 ms"; what it has of a host's
 * own is left out for a time below 0. 0, or -1 after a message.
 */
int pong_print(
	const struct invocation *, const struct reply *, int64_t microseconds);

#endif
