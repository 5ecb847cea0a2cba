/*
 * The text of known_hosts: a line a key, "NAME:PORT SHA256:…". A host may
 * have several, of which any may be its own. Lines that begin with # are
 * comments. No I/O.
 *
 * It is read strictly. A line that was meant to be a host's and is passed
 * over would make that host one to be asked about anew.
 */
#ifndef BRIDLE_KNOWN_HOSTS_H
#define BRIDLE_KNOWN_HOSTS_H

#include "buf.h"
#include "tls.h"

#include <stddef.h>

enum known {
	KNOWN_NOT,  /* nothing is said of that host */
	KNOWN_SAME, /* it has that key */
	KNOWN_OTHER /* it has another */
};

struct known_found {
	enum known known;
	size_t line; /* KNOWN_OTHER: of the first such key */
	char fingerprint[TLS_FINGERPRINT_SIZE]; /* likewise */
};

/*
 * Looks for a host, as targets_address() writes it, and its key. 0, or -1 if
 * any line of the text is bad, with "FILE:LINE: …" appended to problem.
 */
int known_hosts_find(const char *text, size_t len, const char *file,
	const char *host, const char *fingerprint, struct known_found *,
	struct buf *problem);

/*
 * Appends the text with one line for the host, in place of the first that it
 * had or at the end; all other lines stay as they are. The text must be one
 * that known_hosts_find() takes.
 */
void known_hosts_replace(const char *text, size_t len, const char *host,
	const char *fingerprint, struct buf *out);

/*
 * Appends the names of its hosts, a line for each of their keys. Lines that
 * known_hosts_find() would not take are left out.
 */
void known_hosts_list(const char *text, size_t len, struct buf *names);

#endif
