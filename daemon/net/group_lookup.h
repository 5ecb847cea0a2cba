/*
 * Look-ups of the groups of clients that connect by local TCP. A name service
 * may hang, so each look-up runs in a child with a deadline. Results are cached
 * for a few seconds.
 */
#ifndef BRIDLE_GROUP_LOOKUP_H
#define BRIDLE_GROUP_LOOKUP_H

#include "net/peer.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define GROUP_LOOKUPS_MAX 16

enum lookup_state { LOOKUP_FREE, LOOKUP_RUNNING, LOOKUP_DONE };

struct group_lookup {
	enum lookup_state state;
	uid_t uid;
	pid_t pid; /* process ID of the child; 0 once reaped */
	int fd;    /* reading end of the child's pipe, during the look-up */
	/* clock_ms() at which to kill the child or drop the result */
	int64_t deadline;
	bool failed; /* true if the groups are unknown after a failure */
	size_t n;
	gid_t *groups;
};

struct group_lookups {
	struct group_lookup v[GROUP_LOOKUPS_MAX];
};

/*
 * Copy the groups of peer->uid from the cache to the peer. Return 1 if the
 * groups are known. Return 0 if a child is looking up the groups. The caller
 * tries again when group_lookups_read() or group_lookups_expire() reports a
 * change. Return -1 if the look-up failed. The groups then stay unknown, which
 * is not the same as no groups.
 */
int group_lookups_find(struct group_lookups *, struct peer *peer);

/*
 * Read the result of a look-up from `fd`. Return true if this look-up has
 * finished.
 */
bool group_lookups_read(struct group_lookups *, int fd);

/*
 * Kill each child whose deadline has passed, and set *given_up to true. Drop
 * old results. Return the next deadline, or CLOCK_NEVER.
 */
int64_t group_lookups_expire(
	struct group_lookups *, int64_t now, bool *given_up);

/* Drop all results in the cache. A reload calls this function. */
void group_lookups_clear(struct group_lookups *);

/* True if the reaped child was the child of a look-up. */
bool group_lookups_reaped(struct group_lookups *, pid_t);

#endif
