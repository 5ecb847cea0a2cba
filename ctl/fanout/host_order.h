/*
 * The order in which a command runs on the hosts, and the batches of the hosts.
 */
#ifndef BRIDLE_HOST_ORDER_H
#define BRIDLE_HOST_ORDER_H

#include "buf.h"
#include "cli/invocation.h"
#include "fanout/batch.h"

#include <stdbool.h>
#include <stddef.h>

struct host_order {
	size_t n;
	size_t *order; /* indexes of the hosts in the invocation */
	struct batch batch;
};

/*
 * Choose the order of the wanted hosts. `wanted` has one element for each host.
 * If the command halts machines, this machine comes last. Return 0, or -1 after
 * printing a message. In both cases, free the order with host_order_free().
 */
int host_order_make(
	struct host_order *, const struct invocation *, const bool *wanted);

/*
 * Append the number and the names of the hosts, as in "12 hosts (node[01-12])".
 */
void host_order_hosts(
	const struct host_order *, const struct invocation *, struct buf *);

/*
 * Append the batches, the pauses and the limit of failures, as in ", 4 at a
 * time". Append nothing if there are no batches and no limit.
 */
void host_order_steps(
	const struct host_order *, const struct invocation *, struct buf *);

void host_order_free(struct host_order *);

#endif
