/*
 * Divides the hosts of a command into batches with pauses. Stops the command
 * after too many failures. No I/O.
 */
#ifndef BRIDLE_BATCH_H
#define BRIDLE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BATCH_STOP (-1)

/*
 * The settings and the state of the batches. If the struct is zeroed, all hosts
 * may start immediately, and the number of failures has no limit.
 */
struct batch {
	size_t total;
	/*
	 * Number of the last hosts. They never share a batch with the hosts
	 * before them.
	 */
	size_t last;
	size_t batch;  /* maximum number of hosts in a batch; 0: no batches */
	int64_t pause; /* pause between two batches, in ms */
	bool bounded;  /* true: `max_failures` limits the failures */
	size_t max_failures; /* maximum number of failed hosts */
	/* Private: */
	/* number of started hosts when the last pause began */
	size_t paused_at;
	int64_t until; /* time at which the last pause is over */
};

/*
 * Decide if the next host is allowed to start. `begun`, `running` and
 * `failures` are numbers of hosts. Return 0 if the host may start now. Return
 * BATCH_STOP if no more hosts may start. Return INT64_MAX if the running hosts
 * must end first. During a pause, return the time at which the pause is over.
 * All times are values of clock_ms().
 */
int64_t batch_gate(struct batch *, size_t begun, size_t running,
	size_t failures, int64_t now);

#endif
