/*
 * Runs another program with an input, and collects its output.
 */
#ifndef BRIDLE_CHILD_PROGRAM_H
#define BRIDLE_CHILD_PROGRAM_H

#include "buf.h"

#include <stdint.h>

/* These values replace an exit status. */
enum {
	CHILD_PROGRAM_MISSING = -1, /* the program could not be run */
	CHILD_PROGRAM_KILLED = -2,  /* the program was ended by a signal */
	CHILD_PROGRAM_LATE = -3     /* the program was ended at the deadline */
};

/*
 * Run a program of $PATH, and wait until the program ends. `argv` ends with
 * NULL. The program reads `input` as its standard input. Append the program's
 * standard output to `out`, and its standard error to `err`. Drop all bytes
 * after the first 64 KiB of each stream. At the `deadline`, a time of
 * clock_ms(), end the program.
 *
 * Return the program's exit status, or one of the values above. For
 * CHILD_PROGRAM_MISSING, `err` has the cause. When this process ends, the
 * program ends too. If this process ignores SIGINT, the program ignores SIGINT
 * too.
 */
int child_program_run(const char *const *argv, const struct buf *input,
	int64_t deadline, struct buf *out, struct buf *err);

#endif
