/*
 * Tables for people, by libsmartcols.
 */
#ifndef BRIDLE_TABLE_H
#define BRIDLE_TABLE_H

#include "buf.h"
#include "reply.h"
#include "view.h"

/*
 * Prints the view, or nothing if it has no rows: as wide as the terminal, if
 * it goes to one, and else as wide as it must be. 0, or -1 after a message.
 */
int table_print(const struct reply *, const struct view *, int fd);

/* Appends the same instead. */
int table_format(
	const struct reply *, const struct view *, int fd, struct buf *);

#endif
