/*
 * The guard is a process that kills a running command if the daemon dies. In an
 * orderly stop, the daemon itself ends the commands.
 */
#ifndef BRIDLE_GUARD_H
#define BRIDLE_GUARD_H

#include <sys/types.h>

/*
 * Start a guard for this process, which must lead the process group of an
 * action. The guard is not a child of this process, has none of its
 * descriptors, and ends when this process ends. `daemon` is the pid of the
 * parent. Return 0, or -1 if the daemon has ended or the guard cannot start.
 */
int guard_start(pid_t daemon);

#endif
