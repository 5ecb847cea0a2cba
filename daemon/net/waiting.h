/*
 * Clients of a unix socket that wait until there is room for their session.
 * Root is exempt from the limits. Therefore the daemon must accept each client
 * to see if the client is root.
 */
#ifndef BRIDLE_WAITING_H
#define BRIDLE_WAITING_H

#include "net/peer.h"

#include <stddef.h>

#define WAITING_MAX 64

struct waiting_client {
	int fd;
	struct peer peer;
	struct peer_source source;
};

/*
 * A queue of waiting clients. The caller sets all members to zero before the
 * first use. The first client has waited the longest.
 */
struct waiting {
	size_t n;
	struct waiting_client v[WAITING_MAX];
};

/*
 * Append a client to the queue, which then owns the client's descriptor and
 * groups. Return 0, or -1 if WAITING_MAX clients already wait.
 */
int waiting_add(struct waiting *, const struct waiting_client *);

/*
 * Move the first client from the queue to the caller, which then owns the
 * client. The queue must not be empty.
 */
void waiting_take(struct waiting *, struct waiting_client *);

/* Return the number of waiting clients of this source. */
unsigned waiting_count(const struct waiting *, const struct peer_source *);

/*
 * If a waiting client has this descriptor, remove and free the client. The
 * caller calls this function when the client has hung up.
 */
void waiting_drop(struct waiting *, int fd);

#endif
