/*
 * state_dir: the folder for what is kept on the disk, not in memory.
 */
#ifndef BRIDLE_STATE_DIR_H
#define BRIDLE_STATE_DIR_H

#include "buf.h"
#include "settings.h"

#include <sys/types.h>

/*
 * While we may still: makes the folder, if it is missing, for that user and
 * group. 0, or -1 with the reason in errors.
 */
int state_dir_make(const struct settings *, uid_t, gid_t, struct buf *errors);

#endif
