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
	 * True if a key of the machine's name or of one of its addresses is
	 * known. A machine that lies about its name has `trusted` too, but
	 * connections check the key itself.
	 */
	bool trusted;
	/* the announced fingerprint, compared with the known keys */
	enum discover_fits fits;
};

/*
 * Look the machine up in known_hosts and in the fingerprints of
 * bridlectl.conf. Return 0, or -1 with a sentence in `problem`.
 */
int discover_trust_find(const struct discovered *, const struct client_conf *,
	struct discover_trust *, struct buf *problem);

/*
 * True if the host of bridlectl.conf leads to the machine's name or to one of
 * its addresses, and to its port, by TLS.
 */
bool discover_trust_same(const struct client_conf *, const struct conf_host *,
	const struct discovered *);

#endif
