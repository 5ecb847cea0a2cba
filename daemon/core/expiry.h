/*
 * The entries of clients that expire while the daemon runs. Each request is
 * compared with the clock anyway; this module ends watches and writes the log.
 */
#ifndef BRIDLE_EXPIRY_H
#define BRIDLE_EXPIRY_H

#include <stdint.h>

struct parent;

/*
 * If an entry has expired since the last call, log this, and end the watches of
 * its clients. Return the time of the next call, or CLOCK_NEVER if no entry
 * will expire. The machine's clock may be set at any time, so the next call is
 * at most a minute later.
 */
int64_t expiry_expire(struct parent *, int64_t now);

/* Make the next expiry_expire() look at all entries, after a reload. */
void expiry_reset(struct parent *);

#endif
