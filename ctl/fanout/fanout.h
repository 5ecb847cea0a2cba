/*
 * Runs the same job on many hosts, with one worker for each host. Workers run
 * in parallel and in batches.
 */
#ifndef BRIDLE_FANOUT_H
#define BRIDLE_FANOUT_H

#include "fanout/batch.h"
#include "fanout/progress.h"
#include "fanout/worker_set.h"

/*
 * Take the only result of a host. To keep the result, the function must copy
 * the struct and then zero the original.
 */
typedef void fanout_done(void *taker, struct result *);

struct fanout {
	const struct invocation *inv;
	worker_job *job;
	const void *context; /* argument of the job */
	const size_t *order; /* indexes of hosts, in the order of their start */
	size_t n;            /* number of hosts in `order` */
	struct batch batch;
	int64_t deadline; /* time when --total-timeout expires, as clock_ms() */
	fanout_done *done;
	void *taker;
	bool ended; /* true if ^C or the deadline has ended workers */
	/* Private: */
	struct worker_set workers;
	struct progress progress;
	size_t begun;        /* number of hosts that were started or skipped */
	unsigned interrupts; /* number of typed ^C that were handled */
	bool stopped;        /* true: start no more hosts */
};

/*
 * Run the job on all hosts in `order`, and return when each host has a result.
 * After the first ^C, print the names of the running hosts. After the second
 * ^C, end all workers. A host without a worker gets RESULT_NOT_ASKED.
 */
void fanout_run(struct fanout *);

#endif
