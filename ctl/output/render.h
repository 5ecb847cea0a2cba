/*
 * Prints a reply as a table, as JSON or raw, and prints the errors of the
 * reply.
 */
#ifndef BRIDLE_RENDER_H
#define BRIDLE_RENDER_H

#include "cli/invocation.h"
#include "output/view.h"
#include "remote/reply.h"

#include <stdbool.h>

/* True if neither --json nor --raw is given. */
bool render_is_text(const struct invocation *);

/*
 * True if the daemon has dropped a part of the command's output, and
 * --allow-truncated is not given. The caller must treat such a reply as a
 * failure.
 */
bool render_is_cut(const struct invocation *, const struct reply *);

/*
 * Print the reply on stdout in the requested format. If the status is not
 * successful, print the status on stderr. Otherwise, if `text` is true, print
 * the text of the status after the table. Return the outcome of the command.
 */
enum outcome render_reply(const struct invocation *, const struct host *,
	const struct reply *, const struct view *, bool text);

/*
 * Print the rows of an incomplete reply on stdout, and then `problem` on
 * stderr. The reply and the view may be NULL. Return OUTCOME_UNREACHED.
 */
enum outcome render_failure(const struct invocation *, const struct host *,
	const struct reply *, const struct view *, const char *problem);

/*
 * Print the line that json_reply() makes from these values. Return 0, or -1 if
 * the output could not be written.
 */
int render_json(const char *label, const struct reply *, const struct view *,
	const char *problem, const char *result);

/*
 * Print an unsuccessful status on stderr, with its pairs and with hints for the
 * next step. Each hint has a bit in *hinted. If the bit of a hint is not set,
 * print the hint and set the bit. Then no hint is printed twice. The caller
 * sets *hinted to 0 at the start of bridlectl. Return the outcome of the
 * command.
 */
enum outcome render_status(const struct invocation *, const struct host *,
	const struct reply *, unsigned *hinted);

/*
 * Print a hint if the process name in the request consists of digits. Users
 * often type a process ID, but the command needs a name. `label` is the host's
 * name, or NULL.
 */
void render_pid_hint(const struct invocation *, const char *label);

/*
 * Print one line on stdout, with unsafe characters escaped. Return 0, or -1 if
 * the output could not be written.
 */
int render_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
