/*
 * One host, and how to reach it. No I/O.
 */
#ifndef BRIDLE_TARGETS_H
#define BRIDLE_TARGETS_H

#include "buf.h"

#include <sys/un.h>

#define TARGET_DEFAULT "unix:" RUNDIR "/bridle/bridled.sock"
#define TARGET_NAME_MAX 256

enum target_kind { TARGET_UNIX, TARGET_PLAIN, TARGET_TLS };

struct target {
	enum target_kind kind;
	const char *name;           /* as written, for output; the caller's */
	char host[TARGET_NAME_MAX]; /* TARGET_UNIX: the socket's path */
	char port[8];               /* TARGET_UNIX: empty */
};

/*
 * Reads what -H takes for one host: "NAME[:PORT]" for TLS, "unix:PATH" or
 * "plain:NAME[:PORT]"; an IPv6 address in brackets. 0, or -1 with a sentence
 * appended to error.
 */
int targets_parse(const char *text, struct target *, struct buf *error);

/*
 * Appends "NAME:PORT" or "[ADDRESS]:PORT", in lower case: the one way in
 * which known_hosts has it. Not of a TARGET_UNIX.
 */
void targets_address(const struct target *, struct buf *);

#endif
