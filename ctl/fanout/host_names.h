/*
 * Writes the names of hosts as a folded list.
 */
#ifndef BRIDLE_HOST_NAMES_H
#define BRIDLE_HOST_NAMES_H

#include "buf.h"
#include "hosts/host.h"

#include <stddef.h>

/*
 * Append the names of the `n` hosts with these indexes, as in "node[01-12]". If
 * no memory is available, append nothing.
 */
void host_names_add(
	const struct hosts *, const size_t *indexes, size_t n, struct buf *out);

#endif
