/*
 * Functions that drop the rights that the fork server and its sessions must not
 * have.
 */
#ifndef BRIDLE_PRIVDROP_H
#define BRIDLE_PRIVDROP_H

#include <stddef.h>

/*
 * Forbid tracing and core dumps, and ignore signals. Call this function at the
 * start of the program. Return 0, or -1 with errno.
 */
int privdrop_begin(void);

/*
 * Drop access to files, and drop all capabilities. Close all descriptors except
 * the descriptors of fork_server.h. Forbid all system calls except the calls
 * that filter.h allows. Make the process end when the daemon ends. Call this
 * function after all other preparations. `memory` limits the address space, in
 * bytes. Return 0. On failure, return -1 with errno, and set *what to a
 * constant text about the failed step.
 */
int privdrop_server(size_t memory, const char **what);

/*
 * Forbid forks in a new session, and make the session end when the daemon ends.
 * Exit on failure.
 */
void privdrop_session(void);

#endif
