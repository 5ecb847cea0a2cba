/*
 * Functions that end the watches of clients whose entries expire while the
 * daemon runs, and that log the expiry. The policy refuses later requests of
 * these clients.
 */
#ifndef BRIDLE_EXPIRY_H
#define BRIDLE_EXPIRY_H

#include <stdint.h>

struct parent;

/*
 * If an entry has expired since the last call, log the expiry, and end the
 * watches of the entry's clients. Return the time of the next call, or
 * CLOCK_NEVER if no entry will expire. The next call is at most a minute later,
 * because somebody can set the machine's clock at any time.
 */
int64_t expiry_expire(struct parent *, int64_t now);

/* After a reload, make the next expiry_expire() look at all entries. */
void expiry_reset(struct parent *);

#endif
