/*
 * Whether a host is the one that is meant: its key against the one that was
 * given with the call, or against known_hosts.
 */
#ifndef BRIDLE_TRUST_H
#define BRIDLE_TRUST_H

#include "buf.h"
#include "invocation.h"

#include <stdbool.h>

enum trust {
	TRUST_YES,
	TRUST_NO, /* the problem says why */
	TRUST_ASK /* nothing is known of it, and there is someone to ask */
};

/*
 * Judges the key that the target has shown, and remembers it if the call says
 * that new ones are to be. The first line of the problem is a sentence, the
 * next say what to do.
 */
enum trust trust_check(const struct invocation *, const char *fingerprint,
	struct buf *problem);

/*
 * Asks on the terminal whether that is the target's key, and remembers it if
 * so. 0, or -1 with a problem.
 */
int trust_ask(const struct invocation *, const char *fingerprint,
	struct buf *problem);

/*
 * The fingerprint that the host's key must have, whatever known_hosts says;
 * NULL if none is given. Where it is given, tells *source.
 */
const char *trust_pin(const struct invocation *, const char **source);

/* Shows the key on the terminal, and how to compare it. */
void trust_show(const struct target *, const char *fingerprint);

/* The file of known hosts: 0, or -1 with a problem. */
int trust_file(struct buf *path, struct buf *problem);

#endif
