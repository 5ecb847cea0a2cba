/*
 * Reads and changes the file known_hosts. If several processes change the file
 * at the same time, no change is lost. A reader never sees an incomplete file.
 */
#ifndef BRIDLE_KNOWN_HOSTS_FILE_H
#define BRIDLE_KNOWN_HOSTS_FILE_H

#include "buf.h"
#include "remote/known_hosts.h"

/*
 * Look for a host and its key in the file. A missing file counts as an empty
 * file. Return 0 on success. On failure, return -1 with a sentence appended to
 * problem. It is a failure if a line is invalid, or if other users can write
 * the file.
 */
int known_hosts_file_find(const char *path, const char *host,
	const char *fingerprint, struct known_found *, struct buf *problem);

/*
 * Add the key to the file if the host is unknown. *found describes the file
 * before the key was added. Returns 0, or -1 with a sentence appended to
 * problem.
 */
int known_hosts_file_add(const char *path, const char *host,
	const char *fingerprint, struct known_found *found,
	struct buf *problem);

/*
 * Store the key in the file, and remove all other keys of the host. Returns 0,
 * or -1 with a sentence appended to problem.
 */
int known_hosts_file_replace(const char *path, const char *host,
	const char *fingerprint, struct buf *problem);

/*
 * Remove all keys of the host from the file. Set *removed to the number of
 * removed lines. Returns 0, or -1 with a sentence appended to problem.
 */
int known_hosts_file_remove(const char *path, const char *host, size_t *removed,
	struct buf *problem);

/*
 * Append "HOST FINGERPRINT" and LF for each line of the file that is not a
 * comment. Returns 0, or -1 with a sentence appended to problem.
 */
int known_hosts_file_print(
	const char *path, struct buf *out, struct buf *problem);

/*
 * Append each host of the file, followed by LF, to `names`. Returns 0, or -1
 * with a sentence appended to problem.
 */
int known_hosts_file_list(
	const char *path, struct buf *names, struct buf *problem);

#endif
