/*
 * The groups of users who came by TCP. Name services may hang, so each
 * question is asked in a child with a deadline; answers are kept for a few
 * seconds.
 */
#ifndef BRIDLE_LOOKUPS_H
#define BRIDLE_LOOKUPS_H

#include "identity.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LOOKUPS_MAX 16

enum lookup_state { LOOKUP_FREE, LOOKUP_RUNNING, LOOKUP_DONE };

struct lookup {
	enum lookup_state state;
	uid_t uid;
	pid_t pid;        /* of the child, 0 when it is reaped */
	int fd;           /* the groups come from here, -1 when they have */
	int64_t deadline; /* running: to answer; done: to be forgotten */
	bool failed;      /* done: nobody knows them */
	size_t n;
	gid_t *groups;
};

struct lookups {
	struct lookup v[LOOKUPS_MAX];
};

/*
 * Gives who its groups, if they are known: 1. Else 0 when a child is on its
 * way to find out (ask again once lookups_read() or lookups_expire() says
 * that something has changed), -1 if they cannot be found out now: then they
 * stay unknown, which is not the same as none.
 */
int lookups_groups(struct lookups *, struct identity *who);

/* Something came on fd. True if an answer is complete. */
bool lookups_read(struct lookups *, int fd);

/* Ends children past their deadline. True if one was given up. */
bool lookups_expire(struct lookups *, int64_t now);
int64_t lookups_deadline(const struct lookups *);

/* Forgets the answers: after a reload they are asked for anew. */
void lookups_forget(struct lookups *);

/* Whether this reaped child was one of ours. */
bool lookups_reaped(struct lookups *, pid_t);

#endif
