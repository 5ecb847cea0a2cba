/*
 * Penalties for the sources of clients that misbehave, and limits on log lines
 * about a source. The functions use the effective settings.
 */
#ifndef BRIDLE_PENALIZE_H
#define BRIDLE_PENALIZE_H

#include "config/settings.h"
#include "net/peer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct parent;
struct session;

/* Add the penalty for the cause to the source of the session. */
void penalize(struct parent *, const struct session *, enum penalty_cause);

/*
 * Return the number of seconds for which the peer's source is still blocked, or
 * 0 if it is not blocked.
 */
unsigned penalize_blocked_seconds(const struct parent *, const struct peer *);

/*
 * Take one connection token from the source of a session that ended without a
 * request.
 */
void penalize_without_request(struct parent *, const struct session *);

/*
 * Return the number of seconds until the peer's source has a connection token.
 * Return 0 if there is a token now.
 */
unsigned penalize_token_seconds(const struct parent *, const struct peer *);

/* Return the number of blocked sources. */
size_t penalize_blocked_sources(const struct parent *);

/*
 * True if the caller is allowed to log a line of this priority about the
 * source. If the rate limit forbids the line, count the line as left out.
 */
bool penalize_may_log(
	struct parent *, const struct peer_source *, int priority);

/*
 * For each source whose rate limit begins a new period, log how many lines were
 * left out. Return the end of the next period.
 */
int64_t penalize_expire(struct parent *, int64_t now);

/* Log how many lines were left out for each source, and free the penalties. */
void penalize_end(struct parent *);

#endif
