/*
 * A check that a configuration does not lock out its own operator. A user of
 * this machine has access if the user can reach a listener and matches an entry
 * of `clients`.
 */
#ifndef BRIDLE_LOCKOUT_CHECK_H
#define BRIDLE_LOCKOUT_CHECK_H

#include "buf.h"
#include "config/settings.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * The owner of the daemon's socket files, and their group if the settings set
 * no group.
 */
struct lockout_owner {
	uid_t uid;
	gid_t gid;
};

/*
 * True if the daemon would serve this user without a key. Append to `how` the
 * entry and the listener, or the reason why the user has no access. The
 * function may block, because it looks up the user's groups in the name
 * service. The settings must have the ids of all users and groups.
 */
bool lockout_check(const struct settings *, const struct lockout_owner *, uid_t,
	struct buf *how);

#endif
