/*
 * Functions that drop the rights that the fork server and its sessions must not
 * have.
 */
#ifndef BRIDLE_PRIVDROP_H
#define BRIDLE_PRIVDROP_H

#include <stddef.h>

/*
 * Forbid tracing and core dumps, and ignore signals. Call this at the start of
 * the program. Return 0, or -1 with errno.
 */
int privdrop_begin(void);

/*
 * Drop access to files, all capabilities, descriptors except those of
 * fork_server.h, and system calls except those of filter.h. Make the process
 * die with the daemon. Call this after all other preparations. `memory` limits
 * the address space, in bytes. Return 0. On failure, return -1 with errno, and
 * set *what to a constant text about the failed step.
 */
int privdrop_server(size_t memory, const char **what);

/*
 * Forbid forks in a new session, and make the session die with the daemon. Exit
 * on failure.
 */
void privdrop_session(void);

#endif
