/*
 * Running programs, in the process of an action: without a shell, in a fixed
 * environment; but for commands, with what they write to standard error among
 * their output.
 */
#ifndef BRIDLE_PROGRAM_H
#define BRIDLE_PROGRAM_H

#include "buf.h"
#include "settings.h"

/* Becomes the program; `id` is its $BRIDLE_REQUEST_ID. */
void program_become(char *const *argv, const char *id)
	__attribute__((noreturn));

/*
 * Becomes the program of a command, as that is configured: as another user, in
 * its folder, with its environment. Returns only if that fails; then *what is
 * what could not be done, constant text, and errno says why.
 */
void program_become_command(const struct settings_command *, char *const *argv,
	const char *id, const char **what);

/* Whether this process could run a program as that command's user. */
bool program_may_become(const struct settings_command *);

/* Runs it to its end. Its wait status as of waitpid(2), -1 with errno. */
int program_run(char *const *argv, const char *id);

/*
 * Runs it and appends what it writes to standard output, 64 KiB at most. 0 if
 * it has written that and ended with 0, else -1.
 */
int program_read(char *const *argv, const char *id, struct buf *out);

#endif
