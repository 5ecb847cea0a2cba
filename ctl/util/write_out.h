/*
 * Writes output to stdout or stderr.
 */
#ifndef BRIDLE_WRITE_OUT_H
#define BRIDLE_WRITE_OUT_H

#include "buf.h"

#include <stddef.h>

/*
 * Write len bytes to fd. Return 0 on success. On failure, print a message and
 * return -1. After EPIPE, print no message, because a reader such as head(1)
 * may close the pipe early.
 */
int write_out(int fd, const char *, size_t);

/*
 * Write the content of a buffer to fd, like write_out(). If an earlier append
 * to the buffer has failed, print a message and return -1.
 */
int write_out_buf(int fd, struct buf *);

#endif
