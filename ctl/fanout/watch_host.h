/*
 * Receives the events of one host in a worker. Heartbeats show that the
 * connection works. If the connection is lost, the worker connects again.
 */
#ifndef BRIDLE_WATCH_HOST_H
#define BRIDLE_WATCH_HOST_H

#include "cli/invocation.h"
#include "fanout/result.h"

#include <stdbool.h>

/*
 * Receive the events of a host, and send the events to the parent in several
 * results. For all results except the last, watch_host_continues() is true. Add
 * an event "lost" when the connection is lost, and an event "back" when the
 * host replies again. Return when the host refuses the watch. If the invocation
 * has a single host, also return if the first connection fails. The function is
 * a worker_job.
 */
void watch_host_run(
	const struct invocation *, struct result *, const void *request);

/* True if the worker will send another result after this result. */
bool watch_host_continues(const struct result *);

#endif
