/*
 * One job on many hosts: a worker for each, so many at a time.
 */
#ifndef BRIDLE_FANOUT_H
#define BRIDLE_FANOUT_H

#include "stage.h"
#include "worker.h"

#define FANOUT_DEFAULT 64
#define FANOUT_MAX 1000

/* Who takes the answers; each host has exactly one. */
typedef void fanout_done(void *taker, struct answer *);

struct fanout {
	struct invocation *inv;
	worker_job *job;
	const void *context; /* the job's */
	const size_t *order; /* indexes into the invocation's hosts */
	size_t n;
	struct stage stage;
	int64_t deadline;  /* of the whole, as clock_ms(), or INT64_MAX */
	fanout_done *done; /* may keep what the answer owns, and zero it */
	void *taker;
	bool ended; /* by ^C or --total-timeout, before its end */
};

/*
 * Goes over the hosts. The first ^C shows what still runs, the second ends
 * all; so does --total-timeout. Those that did not come to their turn are
 * FATE_NOT_ASKED.
 */
void fanout_run(struct fanout *);

#endif
