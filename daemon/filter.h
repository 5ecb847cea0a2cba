/*
 * The system calls of a session: any other one ends it.
 */
#ifndef BRIDLE_FILTER_H
#define BRIDLE_FILTER_H

/*
 * For the parent, once, before its first session: makes the filter, of which
 * the children have a copy. -1 with errno, also where the kernel has no such
 * filters.
 */
int filter_build(void);

/* Where a session must have its channel to the parent. */
#define FILTER_CHANNEL 0

/*
 * For a session, once no_new_privs is set: from here on it can talk over the
 * descriptors above 2 that it has and the channel, over which alone others may
 * come and go, and have memory; whatever else it asks the kernel for kills it
 * with SIGSYS. -1 with errno.
 */
int filter_install(void);

#endif
