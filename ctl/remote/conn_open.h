/*
 * Connects a socket to a target, within a deadline.
 */
#ifndef BRIDLE_CONN_OPEN_H
#define BRIDLE_CONN_OPEN_H

#include "buf.h"
#include "hosts/target.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Return a non-blocking socket that is connected to an address of the target,
 * or -1 with a sentence appended to problem. Closing a TCP socket sends a
 * reset. After a failure, *tried is true if the error came from the host, not
 * from this machine.
 */
int conn_connect(const struct target *, int64_t deadline, bool *tried,
	struct buf *problem);

#endif
