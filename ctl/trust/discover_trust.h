/*
 * Compares discovered machines with known_hosts and bridlectl.conf.
 */
#ifndef BRIDLE_DISCOVER_TRUST_H
#define BRIDLE_DISCOVER_TRUST_H

#include "buf.h"
#include "hosts/client_conf.h"
#include "hosts/discovered.h"

#include <stdbool.h>

enum discover_fits {
	DISCOVER_FITS_UNKNOWN, /* no known key, or no announced fingerprint */
	DISCOVER_FITS_YES,
	DISCOVER_FITS_NO
};

struct discover_trust {
	/*
	 * True if a key is known for the machine's name or for one of its
	 * addresses. A machine can announce a false name. Therefore each
	 * connection still checks the key.
	 */
	bool trusted;
	/* the announced fingerprint, compared with the known keys */
	enum discover_fits fits;
};

/*
 * Search known_hosts and the fingerprints of bridlectl.conf for the machine.
 * Return 0, or -1 with a sentence in `problem`.
 */
int discover_trust_find(const struct discovered *, const struct client_conf *,
	struct discover_trust *, struct buf *problem);

/*
 * True if the host of bridlectl.conf is the discovered machine. The host must
 * use TLS and have the port of the discovered machine. The host's address must
 * be the name or one of the addresses of the discovered machine.
 */
bool discover_trust_same(const struct client_conf *, const struct conf_host *,
	const struct discovered *);

#endif
