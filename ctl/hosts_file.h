/*
 * The file of known hosts: read, and changed so that two who do it at once
 * lose nothing, and nobody sees half of it.
 */
#ifndef BRIDLE_HOSTS_FILE_H
#define BRIDLE_HOSTS_FILE_H

#include "buf.h"
#include "known_hosts.h"

/*
 * Looks a host's key up; no file is an empty one. 0, or -1 with a sentence
 * appended to problem: a bad line, or a file that others may write.
 */
int hosts_file_find(const char *path, const char *host, const char *fingerprint,
	struct known_found *, struct buf *problem);

/*
 * Adds the key if nothing is known of the host; what was known, tells
 * `found`. Returns as hosts_file_find().
 */
int hosts_file_add(const char *path, const char *host, const char *fingerprint,
	struct known_found *found, struct buf *problem);

/* Makes it the host's only key; likewise. */
int hosts_file_replace(const char *path, const char *host,
	const char *fingerprint, struct buf *problem);

/*
 * Appends the hosts that it knows, as known_hosts_list() does; likewise.
 */
int hosts_file_list(const char *path, struct buf *names, struct buf *problem);

#endif
