/*
 * Writes results as JSON, one line per host.
 *
 * libsmartcols can write JSON, but only as one table over many lines. This
 * module writes each object on one line. An object can have members that are
 * not in the table. Characters that could harm a terminal are escaped.
 */
#ifndef BRIDLE_JSON_H
#define BRIDLE_JSON_H

#include "buf.h"
#include "output/view.h"
#include "remote/reply.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Append bytes as a quoted string. Replace each byte that is not part of a
 * UTF-8 character by U+FFFD. Return true if all bytes were UTF-8.
 */
bool json_string(struct buf *, const char *, size_t);

/*
 * True if the text is an integer as JSON writes it, without a sign and with at
 * most 18 digits.
 */
bool json_is_integer(const char *);

/*
 * Append one JSON object for a host's reply, and an LF. `problem` is NULL if
 * the reply is complete. Otherwise the status in the object is null, and
 * `problem` is the text in the object. The reply may be NULL only if there is a
 * problem. If `view` is NULL, the object has no records. `result` is a key from
 * result_kind_keys, or NULL to leave out the result.
 */
void json_reply(struct buf *, const char *host, const struct reply *,
	const struct view *, const char *problem, const char *result);

/*
 * Append one JSON object for a row of the table, and an LF. The object includes
 * the host's name.
 */
void json_record(
	struct buf *, const char *host, const struct table *, size_t row);

#endif
