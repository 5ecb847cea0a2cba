/*
 * Reads and replaces the user's small files, such as known_hosts. Several
 * processes can change such a file at the same time.
 */
#ifndef BRIDLE_LOCKED_FILE_H
#define BRIDLE_LOCKED_FILE_H

#include "buf.h"

#include <stddef.h>

/*
 * Return the content of the file, or "" if the file does not exist. On failure,
 * return NULL with a sentence appended to problem. Fail if other users can
 * write the file, or if the file exceeds 1 MiB. The caller frees the text.
 */
char *locked_file_read(const char *path, size_t *len, struct buf *problem);

/*
 * Lock the file PATH.lock. The file PATH itself cannot have the lock, because
 * each change replaces this file. Return the descriptor of the lock file, or -1
 * with a sentence appended to problem. Wait for 10 s at most, because a stopped
 * process can hold the lock. The caller closes the descriptor.
 */
int locked_file_lock(const char *path, struct buf *problem);

/*
 * Replace the file by a new file with this text. The caller must hold the lock.
 * Returns 0, or -1 with a sentence appended to problem.
 */
int locked_file_replace(
	const char *path, struct buf *text, struct buf *problem);

#endif
