/*
 * Messages to the operator: a line each on stderr, made safe to show.
 */
#ifndef BRIDLE_NOTICE_H
#define BRIDLE_NOTICE_H

/* "bridlectl: …" */
void notice(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "bridlectl: HOST: …" */
void notice_host(const char *host, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
