/*
 * JSON: one line a host.
 *
 * libsmartcols writes JSON too, but over many lines and with a table at its
 * top; neither one object a line nor members beside the table are to be had
 * from it. So there is a small writer here, which also escapes whatever
 * might harm a terminal.
 */
#ifndef BRIDLE_JSON_H
#define BRIDLE_JSON_H

#include "buf.h"
#include "reply.h"
#include "view.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Appends bytes as a string in quotes; what is not UTF-8 becomes U+FFFD.
 * True if all of it was UTF-8.
 */
bool json_string(struct buf *, const char *, size_t);

/* Whether the text is an integer as JSON writes it, and not too long. */
bool json_is_integer(const char *);

/*
 * Appends the object for one host's answer, and a newline. With a problem
 * there was no whole answer: its status is null and its text the problem.
 * A view of NULL stands for no records; with a problem the reply may be NULL.
 * `result` is what it comes to among many hosts, or NULL.
 */
void json_answer(struct buf *, const char *host, const struct reply *,
	const struct view *, const char *problem, const char *result);

/*
 * Appends the object of one row, with the host it is of, and a newline.
 */
void json_record(
	struct buf *, const char *host, const struct reply *, size_t row);

#endif
