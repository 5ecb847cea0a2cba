/*
 * The penalties of sources that misbehave, and the numbers of omitted log lines
 * about these sources. The functions do no I/O. All times are values of
 * clock_ms().
 *
 * A penalty adds seconds to the total of a source. The total decays to zero as
 * time passes. A source whose total reaches min_seconds is blocked until the
 * total is zero. After each block, later penalties of the source are twice as
 * long. When the total has been zero for max_seconds, penalties have their
 * normal length again.
 */
#ifndef BRIDLE_PENALTY_TABLE_H
#define BRIDLE_PENALTY_TABLE_H

#include "buf.h"
#include "config/settings.h"
#include "net/peer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct penalty {
	struct peer_source source;
	bool blocked; /* true if the source is blocked until `until` */
	/*
	 * number of times that the source was blocked; each block doubles later
	 * penalties
	 */
	unsigned times;
	int64_t until;   /* time when the source's total penalty reaches zero */
	int64_t full_at; /* time when the source has all its tokens */
	/* time when the source was last blocked, if `times` > 0 */
	int64_t blocked_at;
	int64_t window; /* start of the log_seconds for which `lines` counts */
	/* number of logged lines about the source since `window` */
	unsigned lines;
	/* number of omitted lines about the source that are not yet reported */
	unsigned long left_out;
};

/*
 * The table of all penalties. The caller sets all members to zero before the
 * first use. An empty table takes no memory.
 */
struct penalties {
	struct penalty **v; /* entries, sorted by the bytes of their sources */
	size_t n, room;
	/* time of the next call of penalty_table_expire(), if n > 0 */
	int64_t deadline;
	/* number of omitted lines about evicted sources */
	unsigned long left_out;
	/*
	 * number of times that sources were blocked, since the daemon's start
	 */
	uint64_t times;
};

/*
 * Add the penalty for the cause to the source. If this call blocks the source,
 * return the length of the block in milliseconds. Return 0 if the source is not
 * blocked, or was blocked before.
 *
 * If the table is full, the source with the smallest total is removed. An
 * attacker can therefore remove a blocked source only by longer blocks of other
 * sources.
 */
int64_t penalty_table_add(struct penalties *, const struct settings_penalties *,
	const struct peer_source *, enum penalty_cause, int64_t now);

/*
 * Block the /64 network of an IPv6 address that has just been blocked. Do this
 * only if PENALTY_NETWORK_HOSTS addresses of the network have been blocked
 * within max_seconds. Store the network in `network`. Return the length of the
 * block in milliseconds, or 0 if this call does not block the network.
 */
#define PENALTY_NETWORK_HOSTS 8
int64_t penalty_table_add_network(struct penalties *,
	const struct settings_penalties *, const struct peer_source *,
	struct peer_source *network, int64_t now);

/*
 * Take a token of the source for a connection that has ended without a request.
 * Each source has PENALTY_TOKENS tokens, and a token comes back after
 * PENALTY_TOKEN_MS. The /64 network of an IPv6 address has PENALTY_TOKENS *
 * PENALTY_NETWORK_HOSTS tokens.
 */
#define PENALTY_TOKENS 60
#define PENALTY_TOKEN_MS 500
void penalty_table_take_token(struct penalties *,
	const struct settings_penalties *, const struct peer_source *,
	int64_t now);

/*
 * Return the milliseconds until the source and its /64 network have a token.
 * Return 0 if both have a token now.
 */
int64_t penalty_table_token_due(
	const struct penalties *, const struct peer_source *, int64_t now);

/*
 * Return the milliseconds for which the source or its /64 network stays
 * blocked. Return 0 if neither is blocked.
 */
int64_t penalty_table_left(
	const struct penalties *, const struct peer_source *, int64_t now);

/* Return the number of sources that are blocked now. */
size_t penalty_table_count(const struct penalties *, int64_t now);

/*
 * True if the caller is allowed to log one more line about the source. If the
 * result is false, the line has been counted as omitted.
 */
bool penalty_table_line(struct penalties *, const struct settings_penalties *,
	const struct peer_source *, int64_t now);

/*
 * A callback that reports the number of omitted lines about a source within
 * `ms` milliseconds. The source is NULL for all evicted sources together.
 */
typedef void penalties_report(
	void *arg, const struct peer_source *, unsigned long lines, int64_t ms);

/*
 * Report the omitted lines of each source if log_seconds have passed since the
 * start of the source's interval. If `all` is true, report the omitted lines of
 * each source. Remove the entries that are no longer needed.
 * penalty_table_deadline() returns the time of the next call, or INT64_MAX.
 */
void penalty_table_expire(struct penalties *, const struct settings_penalties *,
	int64_t now, bool all, penalties_report *, void *arg);
int64_t penalty_table_deadline(const struct penalties *);

/* Free the table. */
void penalty_table_free(struct penalties *);

#endif
