/*
 * Prints the reply to a ping for people.
 */
#ifndef BRIDLE_PONG_H
#define BRIDLE_PONG_H

#include "remote/reply.h"

#include <stdint.h>

/*
 * Print "pong from HOST: bridled 0.1.0, up 3h 2m, 0.4 ms". `microseconds` is
 * the duration of the ping. If `microseconds` is negative, leave out the uptime
 * and the duration. Return 0, or -1 if the output could not be written.
 */
int pong_print(const char *label, const struct reply *, int64_t microseconds);

#endif
