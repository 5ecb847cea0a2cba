/*
 * The way to a target: a connected socket, within a deadline.
 */
#ifndef BRIDLE_CONNECT_H
#define BRIDLE_CONNECT_H

#include "buf.h"
#include "targets.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A connected, non-blocking socket; each of the host's addresses is tried. A
 * TCP one is set to end by a reset. -1 with a sentence appended to problem;
 * *tried tells whether it is the host that did not answer, and not something
 * here that kept it from being asked.
 */
int connect_target(const struct target *, int64_t deadline, bool *tried,
	struct buf *problem);

#endif
