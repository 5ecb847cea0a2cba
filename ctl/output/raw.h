/*
 * Prints raw output. The fields are separated by tabs, and keep the encoding of
 * the protocol. The protocol encodes all control bytes, so a tab is always a
 * separator.
 *
 * The protocol does not encode bidirectional characters, which could harm a
 * terminal. If the output is a terminal, this module escapes these characters.
 */
#ifndef BRIDLE_RAW_H
#define BRIDLE_RAW_H

#include "buf.h"
#include "output/view.h"
#include "remote/endpoint.h"
#include "remote/reply.h"
#include "request.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Append the fields of a record as a line with tabs. `fields` has the form
 * "a#b". If `terminal` is true, escape unsafe characters. Otherwise a control
 * byte makes the record invalid. Return the number of fields, or 0 if the
 * record is invalid or no memory is available.
 */
size_t raw_record(struct buf *, const char *fields, size_t len, bool terminal);

/*
 * Print the rows of the view. Return 0, or -1 if the output could not be
 * written.
 */
int raw_print(const struct view *, int fd);

/*
 * Send the request, and print each record on stdout when the record arrives.
 * Only the status is stored in the reply. Return 0 on success. If the call
 * fails, append a sentence to `problem`. If the output could not be written,
 * leave `problem` empty. In both cases, return a value other than 0.
 */
int raw_stream(const struct endpoint *, const struct request *, struct reply *,
	struct buf *problem);

#endif
