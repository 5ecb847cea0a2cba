/*
 * Waiting for a host to answer, or to answer no more, by pinging it now and
 * then: often at first, every few seconds later.
 */
#ifndef BRIDLE_AWAIT_H
#define BRIDLE_AWAIT_H

#include "answer.h"
#include "invocation.h"

#include <stdint.h>

#define AWAIT_SECONDS 600 /* if nobody said how long */

/* A worker_job: --up or --down, within inv->await seconds. */
void await_change(struct invocation *, struct answer *, const void *);

/*
 * After an answer that the host will reboot now: waits until a daemon
 * answers that was started since. `since` is clock_ms() before the request.
 */
void await_return(struct invocation *, struct answer *, int64_t since);

#endif
