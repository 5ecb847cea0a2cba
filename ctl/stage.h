/*
 * In what steps a command goes over its hosts: batches, the pauses between
 * them, and when to stop. No I/O.
 */
#ifndef BRIDLE_STAGE_H
#define BRIDLE_STAGE_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAGE_STOP (-1)

/* A number of hosts, or so many in a hundred. Zeroed: none. */
struct stage_share {
	size_t number;
	size_t percent; /* 0: it is the number */
	size_t least;
};

/* Zeroed: all at once, whatever happens. */
struct stage {
	size_t total;
	size_t last;         /* so many at the end are a batch of their own */
	size_t batch;        /* hosts; 0: no batches */
	int64_t pause;       /* ms between two batches */
	bool bounded;        /* whether max_failures means something */
	size_t max_failures; /* with more than that nothing new is begun */
	/* of its own: */
	size_t paused_at; /* the batch that ended there has had its pause... */
	int64_t until;    /* ...which ends then */
};

/*
 * Whether the next host may be begun: 0 if so, STAGE_STOP if none may any
 * more, INT64_MAX if one that runs must end first, or the time for which to
 * wait, as of clock_ms().
 */
int64_t stage_gate(struct stage *, size_t begun, size_t running,
	size_t failures, int64_t now);

/*
 * Reads a number of hosts, or a share as "N%", that is not below `least`: 0
 * or 1. 0, or -1.
 */
int stage_share(const char *, size_t least, struct stage_share *);

/* How many that is of so many; a share is rounded up if least is 1. */
size_t stage_number(const struct stage_share *, size_t total);

#endif
