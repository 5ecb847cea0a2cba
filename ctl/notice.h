/*
 * Messages to the operator: a line each on stderr, made safe to show.
 */
#ifndef BRIDLE_NOTICE_H
#define BRIDLE_NOTICE_H

#include "buf.h"

/* "bridlectl: …" */
void notice(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * From now on they are appended to that buffer, for another process to show;
 * NULL: to stderr again.
 */
void notice_collect(struct buf *);

/* Each line of the text, of which the last may lack its end. */
void notice_lines(const char *text);

/* "bridlectl: HOST: …" */
void notice_host(const char *host, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
