/*
 * Who could change a file, or put another in its place.
 */
#ifndef BRIDLE_TRUSTED_H
#define BRIDLE_TRUSTED_H

#include "buf.h"

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Whether nobody but root and the effective user could change or replace
 * what stands at this path. If not, appends to `why` what is wrong and what
 * to do about it.
 */
bool trusted_path(const char *path, struct buf *why);

/* The same for a file that is open, and of which fstat(2) has said this. */
bool trusted_file(const char *path, const struct stat *, struct buf *why);

#endif
