/*
 * The system calls of the fork server and its sessions: any other one ends
 * the process.
 */
#ifndef BRIDLE_FILTER_H
#define BRIDLE_FILTER_H

/*
 * Makes the filter, while that is possible still. -1 with errno, also where
 * the kernel has no such filters.
 */
int filter_build(void);

/* Where a session must have its channel to the parent. */
#define FILTER_CHANNEL 0

/*
 * For the fork server, once no_new_privs is set: from here on it has no
 * standard output and error, can talk over the descriptors that it has, take
 * others over its control channel alone, have memory, and fork; whatever else
 * it asks the kernel for kills it with SIGSYS. A session inherits that, but
 * takes descriptors over its own channel. -1 with errno.
 */
int filter_install(void);

/*
 * For a session that RLIMIT_NPROC keeps from forking: makes it so for root's,
 * too, for whom that does not count. -1 with errno.
 */
int filter_forbid_fork(void);

#endif
