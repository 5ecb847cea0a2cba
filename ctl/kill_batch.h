/*
 * The kill of exactly what a dry run has shown.
 */
#ifndef BRIDLE_KILL_BATCH_H
#define BRIDLE_KILL_BATCH_H

#include "invocation.h"
#include "reply.h"

#include <stddef.h>

/* How many processes of a dry run's answer would be signalled. */
size_t kill_batch_count(const struct reply *preview);

/*
 * Kills those, by their tokens, in as many requests as that needs; the
 * answers become one. 0, or a call_result with a problem: then some may be dead
 * already, and the reply may tell which.
 */
int kill_batch_run(const struct invocation *, const struct reply *preview,
	struct reply *, struct buf *problem);

#endif
