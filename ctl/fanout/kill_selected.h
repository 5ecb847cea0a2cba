/*
 * Kills exactly the processes that a dry run has shown.
 */
#ifndef BRIDLE_KILL_SELECTED_H
#define BRIDLE_KILL_SELECTED_H

#include "remote/endpoint.h"
#include "remote/reply.h"
#include "request.h"

#include <stddef.h>

/*
 * Return the number of processes that a kill would signal. `preview` is the
 * reply to the dry run of the kill.
 */
size_t kill_selected_count(const struct reply *preview);

/*
 * Kill the processes that the dry run would signal. `preview` is the reply to
 * the dry run, and has a token for each process. Many tokens need several
 * requests. Then the replies are merged into one reply. Return 0, or a
 * call_result with a sentence appended to `problem`. After a failure, some
 * processes may have been killed, and the reply may list these processes.
 */
int kill_selected(const struct endpoint *, const struct request *,
	const struct reply *preview, struct reply *, struct buf *problem);

#endif
