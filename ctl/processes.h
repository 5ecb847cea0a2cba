/*
 * The names of processes, as the daemon of this machine lists them.
 */
#ifndef BRIDLE_PROCESSES_H
#define BRIDLE_PROCESSES_H

#include "candidates.h"
#include "targets.h"

/* Names that would not be taken for themselves, and are left out. */
enum processes_without {
	PROCESSES_NO_DASH = 1 << 0, /* they would be options */
	PROCESSES_NO_GLOB = 1 << 1  /* they would mean others, too */
};

/*
 * Offers each name once; none if the target is no unix socket, or nobody
 * answers there within half a second. `without`: the above, or-ed.
 */
void processes_add(
	struct candidates *, const struct target *, unsigned without);

#endif
