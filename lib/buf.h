/*
 * A growing byte buffer whose failure is remembered.
 *
 * Appending never fails in the caller's face: out of memory sets `failed`
 * and later appends do nothing, so that one check at the end is enough.
 * A zeroed struct is an empty buffer; buf_free() makes it one again.
 */
#ifndef BRIDLE_BUF_H
#define BRIDLE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* NULL while cap is 0; not NUL-terminated by itself */
	size_t len;
	size_t cap;
	bool failed;
};

/* Each appends: bytes, a string, a byte, what printf(3) would write. */
void buf_add(struct buf *, const void *, size_t);
void buf_adds(struct buf *, const char *);
void buf_addc(struct buf *, char);
void buf_addf(struct buf *, const char *, ...)
	__attribute__((format(printf, 2, 3)));
void buf_addv(struct buf *, const char *, va_list)
	__attribute__((format(printf, 2, 0)));

/* Appends an unsigned number in decimal; what list writes most. */
void buf_addu(struct buf *, unsigned long long);

/* Makes room for n more bytes and returns where they go, or NULL. */
char *buf_room(struct buf *, size_t n);

/* Drops the first n bytes (all of them if there are fewer). */
void buf_drop(struct buf *, size_t n);

/* Terminates with NUL (not counted in len); "" if the buffer has failed. */
const char *buf_str(struct buf *);

/* Empties it; buf_reset() keeps the memory. Both forget a failure. */
void buf_reset(struct buf *);
void buf_free(struct buf *);

#endif
