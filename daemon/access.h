/*
 * Whether somebody on this machine gets in at all: by a listener that he can
 * reach, as a client who may do anything.
 */
#ifndef BRIDLE_ACCESS_H
#define BRIDLE_ACCESS_H

#include "buf.h"
#include "settings.h"

#include <stdbool.h>
#include <sys/types.h>

/* Whose the daemon's socket files are, where the settings do not say. */
struct access_owner {
	uid_t uid;
	gid_t gid;
};

/*
 * Whether this user (with the groups that name services know him in) would
 * be let in without a key. Appends to `how` by what, or why not. Settings
 * must be resolved.
 */
bool access_given(const struct settings *, const struct access_owner *, uid_t,
	struct buf *how);

#endif
