/*
 * Waits until a host replies to pings, or no longer replies. The pauses between
 * the pings are short at first, and grow to several seconds.
 */
#ifndef BRIDLE_WAIT_HOST_H
#define BRIDLE_WAIT_HOST_H

#include "cli/invocation.h"
#include "fanout/result.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Wait until the host is up (--up) or down (--down), but at most inv->await
 * seconds. The function is a worker_job.
 */
void wait_host_change(const struct invocation *, struct result *, const void *);

/*
 * Wait until a host that has accepted a reboot is back, but at most inv->await
 * seconds. `since` is the clock_boot_ms() before the request. The host is back
 * when a daemon replies that was started after this time.
 */
void wait_host_return(
	const struct invocation *, struct result *, int64_t since);

/* A step before each ping. Return false to end the wait at once. */
typedef bool wait_host_step(void *context);

/*
 * Wait until the host is up, but at most inv->await seconds. Call step(context)
 * before each ping. If step() returns false, the wait ends. In this case,
 * step() must have set the result.
 */
void wait_host_up(const struct invocation *, struct result *, wait_host_step *,
	void *context);

#endif
