/*
 * A process that asks one host on behalf of this one. It takes what comes
 * from there, and dies of it alone.
 */
#ifndef BRIDLE_WORKER_H
#define BRIDLE_WORKER_H

#include "answer.h"
#include "buf.h"
#include "invocation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What it does there: fills in the answer, of which host and index are set.
 * The answer is handed over when it returns; one that has several to give
 * calls worker_send() for those before.
 */
typedef void worker_job(
	struct invocation *, struct answer *, const void *context);

/* A zeroed struct is one that does not run. */
struct worker {
	pid_t pid; /* 0: none */
	int fd;    /* its answers come here; non-blocking */
	const struct host *host;
	size_t index;     /* of the host */
	int64_t deadline; /* of clock_ms(): then it is late by itself */
	struct buf in;
};

/* 0, or -1 with errno: no process or no descriptor is to be had. */
int worker_start(struct worker *, struct invocation *, size_t index,
	worker_job *, const void *context);

/* Within a worker: false if nobody listens any more. Empties the answer. */
bool worker_send(struct answer *);

/* Reads what has come. False once nothing more will. */
bool worker_read(struct worker *);

/*
 * Takes the next answer of what was read, to be freed by the caller. False
 * if there is none, or not the whole of it yet.
 */
bool worker_next(struct worker *, struct answer *);

/* The answer in place of one that has not come. */
void worker_fail(
	const struct worker *, struct answer *, enum fate, const char *why);

/* Why it has ended without an answer, for worker_fail(). */
const char *worker_why(const struct worker *);

/* Ends it, if it has not ended by itself. */
void worker_end(struct worker *);

#endif
