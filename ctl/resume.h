/*
 * The file of --resume: which hosts a command has yet to reach.
 *
 * It begins with a line that says what is done, has a line for each host, and
 * one that ends the list. A host that is done is struck out by a line at the
 * end, at once, so that the file is right whatever ends the call. When
 * nothing is left it is removed. While a call goes on the file is locked.
 */
#ifndef BRIDLE_RESUME_H
#define BRIDLE_RESUME_H

#include "answer.h"
#include "invocation.h"

#include <stdbool.h>
#include <stddef.h>

struct resume {
	const char *path; /* NULL: there is none, and all is left */
	int fd;           /* -1: it is only read, and stays as it is */
	const struct invocation *inv;
	bool *left; /* by the hosts' index */
	size_t nleft;
	bool failed; /* it could not be written, and that was told */
};

/*
 * Reads it, or makes it for all hosts; for a dry run it is never made or
 * changed. 0, or -1 with a sentence appended to error: it belongs to
 * something else, is in use, or cannot be written. Free with resume_end() in
 * either case.
 */
int resume_begin(struct resume *, const struct invocation *, struct buf *error);

/* Strikes the host out, if it has come to what was wanted. */
void resume_strike(struct resume *, const struct answer *);

/* Tells of what is left, or removes the file. */
void resume_end(struct resume *);

#endif
