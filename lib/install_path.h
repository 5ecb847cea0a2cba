/*
 * Search for the files that a program needs: its module and its helper
 * programs.
 */
#ifndef BRIDLE_INSTALL_PATH_H
#define BRIDLE_INSTALL_PATH_H

#include "buf.h"

#include <limits.h>

/*
 * Set `path` to the path of the file `name`. If the folder of the running
 * program contains this file, use this path. A build folder, for example,
 * contains the file. Otherwise use the path in the folder `installed`, even if
 * the file does not exist. Return 0, or -1 with the reason appended to `why`.
 * Refuse a file in the program's folder if untrusted users could have created
 * the file or could change the file. Trusted users are root and the owner of
 * the program.
 */
int install_path(char path[PATH_MAX], const char *name, const char *installed,
	struct buf *why);

#endif
