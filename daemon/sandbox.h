/*
 * What a child of the daemon gives up before it does its work.
 */
#ifndef BRIDLE_SANDBOX_H
#define BRIDLE_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

enum sandbox_role {
	SANDBOX_LOGGER, /* no capabilities */
	SANDBOX_LIST,   /* no capabilities */
	SANDBOX_KILL,   /* CAP_KILL alone */
	SANDBOX_EXEC    /* no capabilities, also after the exec */
};

/*
 * For a child just forked: resets signal handlers and mask, and gives up all
 * that the role does not need. Ends the process if that fails. (What sessions
 * give up is in session/confine.h.)
 */
void sandbox_child(enum sandbox_role);

/*
 * For the parent: changes from root to a user and its groups for good, keeps
 * CAP_KILL alone, and proves that there is no way back. Only where the
 * process is root and the user is not. -1 with errno.
 */
int sandbox_become(uid_t, gid_t, const char *user);

/*
 * For the parent, before its first child: no core dumps, no tracing, and what
 * sandbox_child() will need. -1 with errno; *what is then what could not be
 * done, constant text.
 */
int sandbox_parent(const char **what);

/* After that: whether we are a service's user, with CAP_KILL and not root. */
bool sandbox_is_service(void);

#endif
