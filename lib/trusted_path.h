/*
 * Functions that check that no untrusted user could change or replace a file.
 */
#ifndef BRIDLE_TRUSTED_PATH_H
#define BRIDLE_TRUSTED_PATH_H

#include "buf.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/*
 * True if only root and the effective user could change or replace the file at
 * this path. If false, append the problem and the next step to `why`.
 */
bool trusted_path(const char *path, struct buf *why);

/*
 * Check an open file like trusted_path(), by its path and the result of
 * fstat(2).
 */
bool trusted_file(const char *path, const struct stat *, struct buf *why);

/*
 * Check that no other user could have placed this file as a link; `st` is the
 * result of stat(2). A link is a symbolic link, or a file with a second hard
 * link. Return false if the file is a link and others can write to the file's
 * folder. If the result is false, append the problem to `why`.
 */
bool trusted_name(const char *path, const struct stat *, struct buf *why);

/*
 * Open a regular file of the effective user, with `flags` and `mode` as in
 * open(2). Do not follow a symbolic link, and do not wait for the other end of
 * a FIFO. Fail if the file belongs to another user, or if trusted_name() is
 * false. Return the descriptor, or -1 with the problem appended to `why`.
 */
int trusted_open(const char *path, int flags, mode_t mode, struct buf *why);

#endif
