/*
 * The listening sockets of the daemon.
 */
#ifndef BRIDLE_LISTENER_H
#define BRIDLE_LISTENER_H

#include "config/settings.h"

#include <stdbool.h>
#include <sys/types.h>

struct listener {
	int fd;
	char *unix_path; /* path of the unix socket; NULL for TCP at `addr` */
	struct net_addr addr;
	bool root; /* true for a unix socket that only root may use */
	bool tls;
	bool insecure;
	/*
	 * true for a socket of the service manager, which owns the socket file
	 */
	bool passed;
	/* true for a passed TCP socket that `listen` does not have */
	bool unlisted;
	dev_t dev; /* device and inode of the daemon's own socket file */
	ino_t ino;
};

struct listeners {
	size_t n;
	struct listener *v;
};

/*
 * Open all listeners of the settings. Return 0, perhaps with warnings in
 * `errors`. On failure, append the reason to `errors` and return -1. New socket
 * files belong to the user `owner`.
 *
 * `old` has the present listeners, or is NULL. A listener that is also in the
 * settings keeps its socket, and moves to the new listeners. On success, all
 * other listeners of `old` are closed, and `old` is empty. On failure, `old` is
 * unchanged.
 *
 * Sockets that the service manager has passed are also in `old`, and are never
 * closed. A passed unix socket that is not in the settings is served. A passed
 * TCP socket that is not in the settings stays open, but its clients are
 * refused.
 *
 * If a socket other than the socket for root was passed, a listener that cannot
 * be opened causes only a warning. In this case, a TCP listener that was not
 * passed is not opened at all, because the service can be without a network.
 */
int listeners_open(struct listeners *, struct listeners *old,
	const struct settings *, uid_t owner, struct buf *errors);

/*
 * Append the addresses in the settings that have no listener, such as
 * "[::]:7075, 127.0.0.1:7074".
 */
void listeners_missing(
	const struct listeners *, const struct settings *, struct buf *out);

/* Close all listeners. Remove the socket files that this daemon has created. */
void listeners_close(struct listeners *);

#endif
