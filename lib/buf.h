/*
 * A byte buffer that grows, and remembers that an append has failed.
 *
 * An append that gets no memory sets `failed`, and later appends do nothing.
 * The caller needs to check `failed` only once, after the last append. A zeroed
 * struct is an empty buffer; buf_free() zeroes the struct.
 */
#ifndef BRIDLE_BUF_H
#define BRIDLE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* bytes; NULL while cap is 0; only buf_str() adds a NUL */
	size_t len;
	size_t cap;
	bool failed;
};

/* Append bytes, a string, one byte, or text formatted as by printf(3). */
void buf_add(struct buf *, const void *, size_t);
void buf_adds(struct buf *, const char *);
void buf_addc(struct buf *, char);
void buf_addf(struct buf *, const char *, ...)
	__attribute__((format(printf, 2, 3)));
void buf_addv(struct buf *, const char *, va_list)
	__attribute__((format(printf, 2, 0)));

/* Append an unsigned number in decimal, faster than buf_addf(). */
void buf_addu(struct buf *, unsigned long long);

/*
 * Make room for n more bytes behind the data. Return the address of this room,
 * or NULL if memory ran out. After writing bytes to this room, the caller adds
 * their number to `len`.
 */
char *buf_room(struct buf *, size_t n);

/* Remove the first n bytes, or all bytes if the buffer has fewer. */
void buf_drop(struct buf *, size_t n);

/*
 * Put a NUL behind the data, without counting the NUL in `len`. Return the
 * data, or "" if `failed` is set.
 */
const char *buf_str(struct buf *);

/*
 * Empty the buffer and clear `failed`. buf_reset() keeps the memory for later
 * appends; buf_free() frees the memory.
 */
void buf_reset(struct buf *);
void buf_free(struct buf *);

#endif
