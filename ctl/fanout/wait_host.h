/*
 * Wait until a host replies to pings, or no longer replies. The first pings
 * follow each other quickly, and later pings after several seconds.
 */
#ifndef BRIDLE_WAIT_HOST_H
#define BRIDLE_WAIT_HOST_H

#include "cli/invocation.h"
#include "fanout/result.h"

#include <stdint.h>

/*
 * Wait until the host is up (--up) or down (--down), but at most inv->await
 * seconds. The function is a worker_job.
 */
void wait_host_change(const struct invocation *, struct result *, const void *);

/*
 * Wait for a host that has accepted a reboot, but at most inv->await seconds.
 * `since` is the clock_ms() before the request. The wait ends when a daemon
 * replies that was started after this time.
 */
void wait_host_return(
	const struct invocation *, struct result *, int64_t since);

#endif
