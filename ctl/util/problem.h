/*
 * Collects sentences that explain a failure. The caller prints the sentences.
 */
#ifndef BRIDLE_PROBLEM_H
#define BRIDLE_PROBLEM_H

#include "buf.h"

/*
 * Append formatted text to `problem`, as printf(3) would print it. Always
 * return -1, so that the caller can write `return problem_add(…)`.
 */
int problem_add(struct buf *problem, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
