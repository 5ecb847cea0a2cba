/*
 * What goes to stdout, or before a question to stderr.
 */
#ifndef BRIDLE_OUTPUT_H
#define BRIDLE_OUTPUT_H

#include "buf.h"

#include <stddef.h>

/*
 * Writes all of it. 0, or -1 after a message that says why; there is none
 * if the reader went away, as head does once it has what it wants.
 */
int output_write(int fd, const char *, size_t);

/* The same of a buffer, which may have failed: that is told, too. */
int output_buf(int fd, struct buf *);

#endif
