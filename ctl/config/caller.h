/*
 * The user who changes the configuration, and the access of this user.
 */
#ifndef BRIDLE_CALLER_H
#define BRIDLE_CALLER_H

#include "buf.h"

#include <stdbool.h>
#include <sys/types.h>

struct caller {
	uid_t uid;
	/* name of the user, or the uid if the user has no name */
	struct buf name;
};

/*
 * Find the user who runs this program. With sudo, the caller is the user who
 * has called sudo. Call caller_free() later.
 */
void caller_find(struct caller *);

/*
 * True if the settings give the caller access, or if the function cannot find
 * the answer. `settings` is the text of the effective settings of the daemon
 * that runs with the file.
 */
bool caller_had_access(
	const struct caller *, const char *file, const char *settings);

/* Free the name. */
void caller_free(struct caller *);

#endif
