/*
 * The sockets that the daemon listens at.
 */
#ifndef BRIDLE_LISTENER_H
#define BRIDLE_LISTENER_H

#include "settings.h"

#include <stdbool.h>
#include <sys/types.h>

struct listener {
	int fd;
	char *unix_path; /* NULL: it is TCP, at `addr` */
	struct net_addr addr;
	bool tls;
	bool insecure;
	bool passed; /* the service manager's: never made or removed by us */
	dev_t dev;   /* of the socket file that we made */
	ino_t ino;
};

struct listeners {
	size_t n;
	struct listener *v;
};

/*
 * Opens what the settings list; those that `old` (may be NULL) has already
 * are taken over from there and keep their sockets. On success old is empty,
 * what was not taken over is closed. On failure old is as it was, and the
 * reason is appended to errors; so is, on success, what of a kept socket file
 * could not be changed. The socket files get `owner`. Passed sockets come in
 * `old` too: each must be listed, and beside one all TCP must be passed, since
 * the service then has no network of its own to listen at.
 */
int listeners_open(struct listeners *, struct listeners *old,
	const struct settings *, uid_t owner, struct buf *errors);

/* Closes all, and removes the socket files that are still ours. */
void listeners_close(struct listeners *);

#endif
