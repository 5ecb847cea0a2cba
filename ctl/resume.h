/*
 * The file of --resume: which hosts a command has yet to reach.
 *
 * A line a host below a line that names the command. It is written anew as
 * answers come, by a rename, and removed when there is nothing left.
 */
#ifndef BRIDLE_RESUME_H
#define BRIDLE_RESUME_H

#include "answer.h"
#include "invocation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct resume {
	const char *path; /* NULL: there is none, and all is left */
	const struct invocation *inv;
	bool *left; /* by the hosts' index */
	size_t nleft;
	int64_t written; /* when, of clock_ms() */
};

/*
 * Reads it, or makes it for all hosts. 0, or -1 with a sentence appended to
 * error: it belongs to something else, or cannot be written. Free with
 * resume_end() in either case.
 */
int resume_begin(struct resume *, const struct invocation *, struct buf *error);

/*
 * Strikes the host out, if it has come to what was wanted. What is on disk
 * may be a moment behind.
 */
void resume_strike(struct resume *, const struct answer *);

/* Brings the file up to date, and tells of it. */
void resume_end(struct resume *);

#endif
