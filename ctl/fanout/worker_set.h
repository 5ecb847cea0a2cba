/*
 * Runs several workers at the same time, one for each host. Starts the workers,
 * waits for their results and for ^C, and ends the workers.
 */
#ifndef BRIDLE_WORKER_SET_H
#define BRIDLE_WORKER_SET_H

#include "fanout/worker.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Take one result. To keep the result, the function must copy the struct and
 * then zero the original. If `ended` is true, the worker has ended, and the
 * worker has not sent this result. Then `problem` of the result has the reason.
 * If `ended` is false, return true to let the worker continue, or false to end
 * the worker. The function must not add a worker.
 */
typedef bool worker_set_take(void *context, struct result *, bool ended);

struct worker_set {
	/*
	 * The caller sets these members before worker_set_open(). All other
	 * members must be zero then.
	 */
	const struct invocation *inv;
	worker_job *job;
	const void *job_context;
	worker_set_take *take;
	void *take_context;
	/* The caller may read these members: */
	size_t running;
	struct worker *workers; /* array of `running` workers, in any order */
	struct budget *budget;  /* memory limit for all replies */
	/* Private: */
	struct pollfd *polls; /* descriptors for sigint_poll() */
};

/*
 * Prepare to run at most `max` workers at the same time. From now on, count
 * each ^C (see sigint.h). Return 0, or -1 if no memory is available. Call
 * worker_set_close() in both cases.
 */
int worker_set_open(struct worker_set *, size_t max);

/*
 * Start a worker for the host with this index. Fewer than `max` workers may be
 * running. If the worker has sent no result by the time `deadline`
 * (clock_ms()), the worker is ended. Return 0, or -1 with errno if no process,
 * descriptor or memory is available.
 */
int worker_set_add(struct worker_set *, size_t index, int64_t deadline);

/*
 * Wait for results or ^C until the time `until` (clock_ms()). If `also` is not
 * NULL, also wait for this descriptor, as poll(2) does. Pass all results that
 * have arrived to set->take().
 */
void worker_set_wait(struct worker_set *, struct pollfd *also, int64_t until);

/*
 * End all workers. For each worker, pass a result of this kind to set->take(),
 * with the cause `why`.
 */
void worker_set_fail(struct worker_set *, enum result_kind, const char *why);

/*
 * End all workers without results, and free the set. Do nothing if the set was
 * not opened.
 */
void worker_set_close(struct worker_set *);

#endif
