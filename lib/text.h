/*
 * Text from outside, made fit to be read, shown and compared. No I/O.
 */
#ifndef BRIDLE_TEXT_H
#define BRIDLE_TEXT_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decodes one UTF-8 character (RFC 3629: no surrogates, no overlong forms)
 * at the start of s. Returns its length in bytes, 0 if there is none.
 */
size_t text_utf8(const char *s, size_t len, uint32_t *code);

/*
 * Whether showing this character may do something to a terminal or to the
 * order of what stands around it: control, C1, bidirectional and zero-width
 * characters, line and paragraph separators.
 */
bool text_unsafe(uint32_t code);

/*
 * Appends s in a form that is harmless on a terminal and in a log line:
 * unsafe characters become \xNN or \u{NNNN}, stray bytes \xNN.
 */
void text_safe(struct buf *out, const char *s, size_t len);

/*
 * The same for what will stand between double quotes: these and the backslash
 * get a backslash before them, so that nobody can end the quotation.
 */
void text_quoted(struct buf *out, const char *s, size_t len);

/* A whole string that is a decimal number in min..max; -1 if it is not. */
int text_number(const char *s, long min, long max, long *out);

/* "TERM", "SIGTERM", "term" or "15" to 15; -1 if there is no such signal. */
int text_signal(const char *s);

/*
 * 15 to "TERM"; real-time signals to "RTMIN+n"; what has no name to its
 * number. The text is good until the next call.
 */
const char *text_signal_name(int sig);

/*
 * The candidate that s was probably meant to be, NULL if none is near
 * (edit distance of at most two, and less than half the word).
 * The list ends with NULL.
 */
const char *text_nearest(const char *s, const char *const *candidates);

#endif
