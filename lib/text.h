/* Functions that check, display and compare text from outside. No I/O. */
#ifndef BRIDLE_TEXT_H
#define BRIDLE_TEXT_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decode one UTF-8 character at the start of s (RFC 3629: no surrogates, no
 * overlong forms). Set *code to the number of this character. Return the
 * character's length in bytes, or 0 if s does not begin with a valid character.
 */
size_t text_utf8(const char *s, size_t len, uint32_t *code);

/*
 * True if this character can change a terminal's state, hide text, or change
 * the order of text. Such characters are control characters (C0 and C1),
 * bidirectional and zero-width characters, and line and paragraph separators.
 */
bool text_unsafe(uint32_t code);

/* True if the text is valid UTF-8 in which no character is text_unsafe(). */
bool text_printable(const char *s, size_t len);

/*
 * True if the text is allowed as a message. Unlike text_printable(), this
 * function allows joiners and variation selectors, which emoji and Persian
 * need. If true, set `problem` to "". If false, `problem` describes the first
 * bad character, for example ", not U+202E (RIGHT-TO-LEFT OVERRIDE)".
 */
#define TEXT_PROBLEM_SIZE 48
bool text_is_prose(const char *s, size_t len, char problem[TEXT_PROBLEM_SIZE]);

/*
 * Append s in a form that is harmless on a terminal and in a log line. Unsafe
 * characters become \xNN or \u{NNNN}, and invalid bytes become \xNN.
 */
void text_safe(struct buf *out, const char *s, size_t len);

/*
 * Append s like text_safe(), but do not escape characters that text_is_prose()
 * allows.
 */
void text_safe_prose(struct buf *out, const char *s, size_t len);

/*
 * Append s like text_safe(), for use between double quotes. Put a backslash
 * before each double quote and backslash, so that s cannot end the quotation.
 */
void text_quoted(struct buf *out, const char *s, size_t len);

/*
 * Read the whole string as a decimal number. Return 0, or -1 if the string is
 * not a number from min to max.
 */
int text_number(const char *s, long min, long max, long *out);

/*
 * Return the number of a signal, for example 15 for "TERM", "SIGTERM", "term"
 * or "15". Return -1 if there is no such signal.
 */
int text_signal(const char *s);

/*
 * Return the name of a signal, for example "TERM" for 15. The name of a
 * real-time signal is "RTMIN+n". If the signal has no name, return its number
 * as text. The next call overwrites the text.
 */
const char *text_signal_name(int sig);

/*
 * Return the index of the text in a NULL-ended list; -1 if the list lacks the
 * text.
 */
int text_index(const char *const *list, const char *);

/*
 * Return the candidate that is nearest to s; NULL if no candidate is near. A
 * candidate is near if its edit distance from s is at most two. The distance
 * must also be less than half of the candidate's length. The list ends with
 * NULL.
 */
const char *text_nearest(const char *s, const char *const *candidates);

/* True if each of the len bytes at s occurs in the string `bytes`. */
bool text_consists_of(const char *s, size_t len, const char *bytes);

#endif
