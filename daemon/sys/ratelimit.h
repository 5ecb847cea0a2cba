/*
 * A rate limit for log lines about an event that repeats.
 */
#ifndef BRIDLE_RATELIMIT_H
#define BRIDLE_RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define RATELIMIT_MS 10000 /* minimum milliseconds between two log lines */

/*
 * The state of one rate limit. The caller sets all members to zero before the
 * first use.
 */
struct ratelimit {
	int64_t quiet_until;
};

/*
 * True if the caller is allowed to log a line at the time `now` of clock_ms().
 * If the result is true, further calls return false for RATELIMIT_MS.
 */
static inline bool
ratelimit_allows(struct ratelimit *r, int64_t now)
{
	if (now < r->quiet_until)
		return false;
	r->quiet_until = now + RATELIMIT_MS;
	return true;
}

#endif
