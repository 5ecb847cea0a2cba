/*
 * Raw output: the wire's fields, still encoded, with tabs between them.
 *
 * The encoding leaves no control byte, so that a tab is always a separator.
 * What else could harm a terminal (bidirectional characters, which the wire
 * does not encode) is made safe if the output goes to one.
 */
#ifndef BRIDLE_RAW_H
#define BRIDLE_RAW_H

#include "buf.h"
#include "invocation.h"
#include "reply.h"
#include "view.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The fields of a record ("a#b"). Returns how many there are, 0 if it holds
 * a control byte or memory is short.
 */
size_t raw_record(struct buf *, const char *fields, size_t len, bool terminal);

/* 0, or -1 if it could not be written, after a message. */
int raw_print(const struct reply *, const struct view *, int fd);

/*
 * Asks and prints the records on stdout as they come, without keeping them;
 * the reply gets the status alone. 0, or -1 with a sentence in problem,
 * which stays empty if it is the output that failed.
 */
int raw_stream(const struct invocation *, struct reply *, struct buf *problem);

#endif
