/*
 * Running programs, in the process of an action: without a shell, in a fixed
 * environment, with what they write to standard error among their output.
 */
#ifndef BRIDLE_PROGRAM_H
#define BRIDLE_PROGRAM_H

#include "buf.h"

/* Becomes the program; `id` is its $BRIDLE_REQUEST_ID. */
void program_become(char *const *argv, const char *id)
	__attribute__((noreturn));

/* Runs it to its end. Its wait status as of waitpid(2), -1 with errno. */
int program_run(char *const *argv, const char *id);

/*
 * Runs it and appends what it writes to standard output, 64 KiB at most. 0 if
 * it has written that and ended with 0, else -1.
 */
int program_read(char *const *argv, const char *id, struct buf *out);

#endif
