/*
 * Runs another program, and collects its output.
 */
#ifndef BRIDLE_PROGRAM_H
#define BRIDLE_PROGRAM_H

#include "buf.h"

#include <stdint.h>
#include <sys/types.h>

/*
 * The value instead of an exit status if the program has no exit status. The
 * program could not be run, was killed by a signal, or was still running at the
 * deadline.
 */
#define PROGRAM_FAILED (-1)

/*
 * Run a program of $PATH, and wait until the program ends. `argv` ends with
 * NULL. Append the program's standard output to `out`, and its standard error
 * to `err`. If `out` and `err` are the same buffer, the order of the lines is
 * kept. If `err` is NULL, drop the standard error. At the `deadline`, a time of
 * clock_ms(), kill the program. Return the program's exit status or
 * PROGRAM_FAILED. No message is printed.
 */
int program_run(const char *const *argv, int64_t deadline, struct buf *out,
	struct buf *err);

/*
 * Wait for the end of a child process until the `deadline`, then kill the
 * child. Return its exit status or PROGRAM_FAILED.
 */
int program_await(pid_t pid, int64_t deadline);

#endif
