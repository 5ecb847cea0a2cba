/*
 * A worker, which is a process that contacts one host for its parent. If a host
 * sends harmful data, only the worker for this host is affected.
 */
#ifndef BRIDLE_WORKER_H
#define BRIDLE_WORKER_H

#include "buf.h"
#include "cli/invocation.h"
#include "fanout/result.h"
#include "util/budget.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Contact result->host, and fill in the result. The caller has set the host and
 * the index of the result. When the job returns, its result is sent to the
 * parent. A job with several results calls worker_send() for each result except
 * the last.
 */
typedef void worker_job(
	const struct invocation *, struct result *, const void *context);

struct worker {
	pid_t pid;
	int fd; /* pipe from the worker; non-blocking */
	const struct host *host;
	size_t index;               /* index of the host in the invocation */
	int64_t deadline;           /* time to end the worker, as clock_ms() */
	struct budget_share *share; /* memory limit for the worker's replies */
	struct buf in; /* received bytes that worker_next() has not taken yet */
};

/*
 * Start a worker. Return 0, or -1 with errno if no process, descriptor or
 * memory is available.
 */
int worker_start(struct worker *, const struct invocation *, size_t index,
	worker_job *, const void *context, struct budget *);

/*
 * Send a result from the worker to its parent. Return false if the parent takes
 * no more results.
 */
bool worker_send(const struct result *);

/*
 * Read the bytes that are available from the worker. Return NULL, or a text
 * that says why no more bytes will arrive.
 */
const char *worker_read(struct worker *);

/*
 * Take the next result from the bytes that were read. The caller frees the
 * result with result_free(). Return false if no result is complete.
 */
bool worker_next(struct worker *, struct result *);

/* Kill the worker's process, and free the members of the struct. */
void worker_end(struct worker *);

#endif
