/*
 * Sessions that watch. Each has its place in the history, and takes from
 * there as fast as it can: nobody waits for it, and it costs no memory. One
 * that falls back so far that what it needs is forgotten, is dropped.
 */
#ifndef BRIDLE_WATCHES_H
#define BRIDLE_WATCHES_H

#include "buf.h"
#include "request.h"

#include <stdbool.h>
#include <stdint.h>

struct parent;
struct session;

/* What one of them wants, and how far it is. */
struct watch {
	uint64_t told;   /* the number up to which all is told, or not wanted */
	unsigned events; /* EVENT_BIT(…), or-ed */
	char name[65];   /* of the only client that it is about; "": any */
	bool ending;     /* once it has all, it gets that status */
	struct buf status;
	unsigned deaf; /* heartbeats on end that its channel had no room for */
};

/*
 * From now on the session watches, as its request says: `status` is what its
 * watch will end with. False if memory is short.
 */
bool watches_begin(struct parent *, struct session *, const struct request *,
	const struct buf *status);

/* Its client has asked for a heartbeat; has gone on to something else. */
void watches_beat(struct parent *, struct session *);
void watches_end(struct session *);

/* Its client does not read, or is not there any more. */
void watches_stalled(struct parent *, struct session *);

/* Its next heartbeat is due. */
void watches_tick(struct parent *, struct session *);

/* Sends what there is to those who have room for it. */
void watches_flush(struct parent *);

/* Whether it is worth waiting until the session has room. */
bool watches_waits(const struct parent *, const struct session *);

/* How many would get a message of that client for all, "", or for one. */
unsigned watches_reach(const struct parent *, const char *from, const char *to);

/*
 * After a reload: ends those that the policy does not allow any more, and
 * takes over what the others are called now.
 */
void watches_review(struct parent *);

/* The session is freed. */
void watches_free(struct parent *, struct session *);

#endif
