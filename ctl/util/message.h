/*
 * Prints messages to the user. Each message is one line on stderr. Bytes that
 * could control the terminal are replaced by \xNN or \u{NNNN}.
 */
#ifndef BRIDLE_MESSAGE_H
#define BRIDLE_MESSAGE_H

#include "buf.h"

/* Print "bridlectl: MESSAGE". */
void message_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Append all later messages to the buffer and do not print them. Another
 * process can then print the text of the buffer. If the buffer is NULL, print
 * later messages to stderr again.
 */
void message_collect(struct buf *);

/* Print "bridlectl: HOST: MESSAGE". If `host` is NULL, omit "HOST: ". */
void message_host(const char *host, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Print each line of a text as a message of message_host(). The last line may
 * lack its LF.
 */
void message_lines(const char *host, const char *text);

#endif
