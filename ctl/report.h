/*
 * How an answer is shown: as a table, as JSON, raw; and what went wrong.
 */
#ifndef BRIDLE_REPORT_H
#define BRIDLE_REPORT_H

#include "invocation.h"
#include "reply.h"
#include "view.h"

#include <stdbool.h>

/* Neither --json nor --raw. */
bool report_is_for_people(const struct invocation *);

/* What a status code comes to. */
enum outcome report_outcome(int code);

/*
 * Shows the answer on stdout in the form that was asked for, and on stderr
 * what is wrong with its status. A table is followed by the text of a good
 * status where `text` says so.
 */
enum outcome report_reply(const struct invocation *, const struct reply *,
	const struct view *, bool text);

/*
 * There was no whole answer. The reply and the view may be NULL; what rows
 * they have is shown nevertheless.
 */
enum outcome report_failure(const struct invocation *, const struct reply *,
	const struct view *, const char *problem);

/* Each line of the problem, on stderr. */
void report_problem(const struct invocation *, const char *problem);

/* Asks what the invocation asks, and reports what comes. */
enum outcome report_request(const struct invocation *, bool text);

/* What of the answer is shown by default. 0, or -1 with errno. */
int report_view(const struct invocation *, const struct reply *, struct view *);

/* Only what is wrong, on stderr: with the rule, and what to do next. */
enum outcome report_status(const struct invocation *, const struct reply *);

/* A line on stdout, made safe. 0, or -1 after a message. */
int report_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
