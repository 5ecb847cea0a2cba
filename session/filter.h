/*
 * The filter of the system calls that the fork server and its sessions are
 * allowed to use. Any other system call kills the process.
 */
#ifndef BRIDLE_FILTER_H
#define BRIDLE_FILTER_H

#include <stdbool.h>
#include <stddef.h>

/* The descriptor number of a session's channel to the parent. */
#define FILTER_CHANNEL 0

/*
 * Build the filter for filter_install(). `limited` is true if RLIMIT_NPROC
 * keeps sessions from forking. In this case, the filter allows sessions to set
 * this limit. Otherwise, the filter allows sessions to install a second filter.
 * Return 0, or -1 with errno, for example if the kernel does not support such
 * filters.
 */
int filter_build(bool limited);

/*
 * Install the filter in the fork server, after no_new_privs is set. Replace
 * standard output and standard error by the descriptor `inert`, and close
 * `inert`. Limit the address space to `memory` bytes. The fork server can then
 * use its descriptors, receive descriptors over its control channel, allocate
 * memory, and fork. Any other system call kills the fork server with SIGSYS. A
 * session inherits the filter, but receives descriptors over its own channel.
 * Return 0, or -1 with errno.
 */
int filter_install(int inert, size_t memory);

/*
 * Install a second filter that forbids forks and further filters. Call this
 * function in a session if RLIMIT_NPROC does not keep the session from forking.
 * Return 0, or -1 with errno.
 */
int filter_forbid_fork(void);

#endif
