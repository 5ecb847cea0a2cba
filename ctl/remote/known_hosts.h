/*
 * Reads and changes the text of known_hosts. Each line has a host and one key:
 * "NAME:PORT SHA256:…". A host may have several lines, and all keys of these
 * lines are valid. Lines that begin with # are comments. No I/O.
 *
 * An invalid line is an error. If invalid lines were skipped, a known host
 * could count as unknown.
 */
#ifndef BRIDLE_KNOWN_HOSTS_H
#define BRIDLE_KNOWN_HOSTS_H

#include "buf.h"
#include "tls.h"

#include <stddef.h>

enum known {
	KNOWN_NOT,  /* the host is unknown */
	KNOWN_SAME, /* the host is known, and has this key */
	KNOWN_OTHER /* the host is known, but only with other keys */
};

struct known_found {
	enum known known;
	/*
	 * The number of the host's first line, and the key in this line. Only
	 * KNOWN_OTHER sets these members.
	 */
	size_t line;
	char fingerprint[TLS_FINGERPRINT_SIZE];
};

/*
 * Look for a host and its key in the text, and fill in the struct known_found.
 * `host` has the form of target_address(). Returns 0. If any line is invalid,
 * returns -1 with "FILE:LINE: …" appended to problem.
 */
int known_hosts_find(const char *text, size_t len, const char *file,
	const char *host, const char *fingerprint, struct known_found *,
	struct buf *problem);

/*
 * Append to `out` a copy of the text in which the host has only this key. The
 * new line replaces the host's first line. If the host has no line, the new
 * line becomes the last line. Lines of other hosts stay unchanged. The text
 * must be valid for known_hosts_find().
 */
void known_hosts_replace(const char *text, size_t len, const char *host,
	const char *fingerprint, struct buf *out);

/*
 * Append to `out` a copy of the text without the lines of this host. Return the
 * number of lines that were left out.
 */
size_t known_hosts_remove(
	const char *text, size_t len, const char *host, struct buf *out);

/*
 * Append "HOST FINGERPRINT" and LF for each line that is not a comment. Returns
 * 0, or -1 with "FILE:LINE: …" appended to problem if any line is invalid.
 */
int known_hosts_print(const char *text, size_t len, const char *file,
	struct buf *out, struct buf *problem);

/* Append the host of each line, followed by LF. Skip invalid lines. */
void known_hosts_list(const char *text, size_t len, struct buf *names);

#endif
