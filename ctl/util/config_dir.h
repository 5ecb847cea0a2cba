/*
 * Finds and creates paths of the user's files in ~/.config/bridlectl and
 * ~/.local/state/bridlectl.
 */
#ifndef BRIDLE_CONFIG_DIR_H
#define BRIDLE_CONFIG_DIR_H

#include "buf.h"

/*
 * Append to `path` the path of the file `name` in ~/.config/bridlectl.
 * XDG_CONFIG_HOME replaces ~/.config if the variable is an absolute path.
 * Returns 0, or -1 with a sentence appended to problem.
 */
int config_dir_file(const char *name, struct buf *path, struct buf *problem);

/*
 * Append to `path` the path of the file `name` in ~/.local/state/bridlectl, for
 * files that bridlectl itself writes. XDG_STATE_HOME replaces ~/.local/state if
 * the variable is an absolute path. Returns 0, or -1 with a sentence appended
 * to problem.
 */
int config_dir_state_file(
	const char *name, struct buf *path, struct buf *problem);

/*
 * Append to `path` the path of the file `name` in the home folder. Returns 0,
 * or -1 with a sentence appended to problem.
 */
int config_dir_home_path(
	const char *name, struct buf *path, struct buf *problem);

/*
 * Check that the user has moved their files from ~/.config/bridle. Version 0.1
 * used this folder. Return 0, or -1 with a sentence appended to problem. It is
 * an error if the old folder still has such a file, but the new folder does not
 * exist.
 */
int config_dir_check_old(struct buf *problem);

/*
 * Create the missing folders of a file's path, with mode 0700. Returns 0, or -1
 * with a sentence appended to problem. An existing folder must belong to this
 * user or to root. If config_dir_check_old() fails, this function fails too.
 */
int config_dir_make(const char *path, struct buf *problem);

#endif
