/*
 * Measures the width of text on a terminal.
 */
#ifndef BRIDLE_TEXT_WIDTH_H
#define BRIDLE_TEXT_WIDTH_H

#include "buf.h"

#include <stddef.h>

/*
 * Set the locale so that libc and libsmartcols measure text as UTF-8. bridlectl
 * always prints UTF-8, even under LANG=C in a rescue shell.
 */
void text_width_locale(void);

/*
 * Return the number of terminal columns that a printable text takes. The caller
 * must have called text_width_locale().
 */
size_t text_width(const char *);

/*
 * Return the number of columns of a terminal, or 80 if the number is unknown.
 */
unsigned text_width_terminal(int fd);

/*
 * Append a text, and then append spaces until the text and the spaces have this
 * width.
 */
void text_pad(struct buf *, const char *, size_t width);

#endif
