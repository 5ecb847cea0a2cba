/*
 * The system calls of the fork server and its sessions: any other one ends
 * the process.
 */
#ifndef BRIDLE_FILTER_H
#define BRIDLE_FILTER_H

#include <stdbool.h>

/* Where a session must have its channel to the parent. */
#define FILTER_CHANNEL 0

/*
 * Makes the filter, while that is possible still. `limited`: RLIMIT_NPROC keeps
 * sessions from forking, which may set it; else they may have another filter.
 * -1 with errno, also where the kernel has no such filters.
 */
int filter_build(bool limited);

/*
 * For the fork server, once no_new_privs is set: from here on it has `inert` in
 * place of its standard output and error, can talk over the descriptors that
 * it has, take others over its control channel alone, have memory, and fork;
 * whatever else it asks the kernel for kills it with SIGSYS. A session inherits
 * that, but takes descriptors over its own channel. -1 with errno.
 */
int filter_install(int inert);

/*
 * For a session that no limit keeps from forking: a second filter, after which
 * neither a fork nor another filter is allowed. -1 with errno.
 */
int filter_forbid_fork(void);

#endif
