/*
 * The user's own files of bridlectl, in ~/.config/bridle.
 */
#ifndef BRIDLE_HOME_H
#define BRIDLE_HOME_H

#include "buf.h"

/*
 * Appends the path of such a file; XDG_CONFIG_HOME is honoured. 0, or -1 with
 * a sentence appended to problem.
 */
int home_file(const char *name, struct buf *path, struct buf *problem);

/* Appends the path of a file in the home folder itself; likewise. */
int home_path(const char *name, struct buf *path, struct buf *problem);

/* Makes the folders above that file, for this user alone; likewise. */
int home_make_folder(const char *path, struct buf *problem);

#endif
