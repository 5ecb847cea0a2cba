/*
 * Which hosts a command goes to, in what order and in what steps.
 */
#ifndef BRIDLE_PLAN_H
#define BRIDLE_PLAN_H

#include "buf.h"
#include "invocation.h"
#include "stage.h"

#include <stdbool.h>
#include <stddef.h>

struct plan {
	size_t n;
	size_t *order; /* indexes into the invocation's hosts */
	struct stage stage;
};

/*
 * For those hosts that are wanted, an array by their index; NULL: all. One
 * that a command stops, and that is the operator's own, comes last. 0, or -1
 * with a sentence appended to error. Free with plan_free() in either case.
 */
int plan_make(struct plan *, const struct invocation *, const bool *wanted,
	struct buf *error);

/* Appends "12 hosts (node[01-12]), 4 at a time". */
void plan_describe(
	const struct plan *, const struct invocation *, struct buf *);

void plan_free(struct plan *);

#endif
