/*
 * Proves that the daemon of this machine serves requests. Each listener of a
 * configuration must answer a request.
 */
#ifndef BRIDLE_LISTEN_PROOF_H
#define BRIDLE_LISTEN_PROOF_H

#include "buf.h"
#include "hosts/target.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A listener of the configuration. */
struct listen_place {
	char *text; /* as in `listen`, for messages */
	struct target target;
	bool wildcard; /* true if the address of the listener is [::] */
};

struct listen_places {
	size_t n;
	struct listen_place *v;
};

/*
 * Read the listeners of the configuration, and add the unix sockets that
 * systemd passes to the daemon. `sockets` has the paths of these unix sockets,
 * and NULL after the last path. Return 0, or -1 after printing a message. Call
 * listen_places_free() in both cases.
 */
int listen_places_read(
	struct listen_places *, const char *file, char *const *sockets);

/*
 * Send a request over each listener. At a TLS listener, compare the key of the
 * handshake with the key of `bridled --fingerprint`. If a listener does not
 * answer, try again for a few seconds. Skip an address that this machine does
 * not have now. Print a line for each listener. Return 0, or -1 with a line in
 * `problem` for each listener that does not answer.
 */
int listen_places_prove(
	const struct listen_places *, const char *file, struct buf *problem);

/*
 * True if the daemon answers this user at a listener without TLS, and an entry
 * of `clients` matches the user. If root calls the function, the user can be
 * any user. Otherwise the user must be the calling user.
 */
bool listen_places_admit(const struct listen_places *, uid_t);

/* Free the members. */
void listen_places_free(struct listen_places *);

#endif
