/*
 * Makes text from the network harmless.
 */
#ifndef BRIDLE_PRINTABLE_H
#define BRIDLE_PRINTABLE_H

#include "buf.h"

#include <stddef.h>

/*
 * Append the bytes, with \xNN for each byte outside 0x20 to 0x7e and for each
 * backslash. No two texts give the same result.
 */
void printable_add(struct buf *out, const char *s, size_t len);

#endif
