/*
 * Functions that run programs in the process of an action, without a shell and
 * in a fixed environment. exec_program() and exec_run() send standard error to
 * the same pipe as the output.
 */
#ifndef BRIDLE_EXEC_H
#define BRIDLE_EXEC_H

#include "buf.h"
#include "config/settings.h"

/*
 * Replace this process by the program, with $BRIDLE_REQUEST_ID set to `id`. On
 * failure, exit with status 126 or 127.
 */
void exec_program(char *const *argv, const char *id) __attribute__((noreturn));

/*
 * Replace this process by the program of a command, with its configured user,
 * directory, environment and priority. On failure, set *what to a constant text
 * such as "cannot run" for an error message, and return with errno.
 */
void exec_command(const struct settings_command *, char *const *argv,
	const char *id, const char **what);

/*
 * True if this process is allowed to run a program as the user and the group of
 * the command.
 */
bool exec_is_permitted(const struct settings_command *);

/*
 * Run the program in a child, and wait for its end. The program is killed if
 * the caller dies. Return the wait status, as waitpid(2) gives it, or -1 with
 * errno.
 */
int exec_run(char *const *argv, const char *id);

/*
 * Run the program in a child, wait for its end, and append its standard output
 * to `out`. The program is killed if the caller dies. Return 0 if the program
 * exited with 0 and wrote at most 64 KiB, otherwise -1.
 */
int exec_read(char *const *argv, const char *id, struct buf *out);

#endif
