/*
 * How wide text is on a terminal.
 */
#ifndef BRIDLE_WIDTH_H
#define BRIDLE_WIDTH_H

#include "buf.h"

#include <stddef.h>

/*
 * What libc and libsmartcols measure by from now on. What we print is UTF-8
 * in any case, also under LANG=C in a rescue shell.
 */
void width_locale(void);

/* Columns that text which is safe to show takes up; after width_locale(). */
size_t width_of(const char *);

/* Appends it, and spaces up to that width. */
void width_pad(struct buf *, const char *, size_t width);

#endif
