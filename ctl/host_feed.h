/*
 * What one host tells those who watch, as a worker hears it: the connection
 * is kept alive by heartbeats, and made anew when it is lost.
 */
#ifndef BRIDLE_HOST_FEED_H
#define BRIDLE_HOST_FEED_H

#include "answer.h"
#include "invocation.h"

#include <stdbool.h>

/*
 * A worker_job: hands over records as they come, in answers that
 * host_feed_goes_on() tells from the last one. Among them are its own, of the
 * events "lost" and "back". It ends when the host refuses, or if the only host
 * of the invocation could not be reached at first.
 */
void host_feed_run(struct invocation *, struct answer *, const void *unused);

/* Whether others follow. */
bool host_feed_goes_on(const struct answer *);

#endif
