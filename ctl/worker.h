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

/* What it does there: fills in the answer, of which host and index are set. */
typedef void worker_job(
	struct invocation *, struct answer *, const void *context);

/* A zeroed struct is one that does not run. */
struct worker {
	pid_t pid; /* 0: none */
	int fd;    /* its answer comes here; non-blocking */
	const struct host *host;
	size_t index;     /* of the host */
	int64_t deadline; /* of clock_ms(): then it is late by itself */
	struct buf in;
};

/* 0, or -1 with errno: no process or no descriptor is to be had. */
int worker_start(struct worker *, struct invocation *, size_t index,
	worker_job *, const void *context);

/* Reads what has come. Whether all has. */
bool worker_read(struct worker *);

/*
 * Once all has come: its answer, to be freed by the caller. It runs no more.
 */
void worker_finish(struct worker *, struct answer *);

/* Ends it at once; its host has had that fate. */
void worker_end(struct worker *, struct answer *, enum fate, const char *why);

#endif
