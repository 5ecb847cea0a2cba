/*
 * Removes duplicates and excluded hosts from a list of hosts. No I/O.
 */
#ifndef BRIDLE_HOST_SET_H
#define BRIDLE_HOST_SET_H

#include "hosts/host.h"
#include "util/string_map.h"

#include <stdbool.h>

/*
 * Remove each host with the same transport and address as an earlier host.
 * Returns 0, or -1 if memory cannot be allocated.
 */
int host_set_unique(struct hosts *);

/*
 * Remove each host that is also in `without`: both hosts have the same label,
 * or the same transport and address. If a name in `without` has no port, remove
 * the host with any port. Returns 0, or -1 if memory cannot be allocated.
 */
int host_set_exclude(struct hosts *, const struct hosts *without);

/*
 * Add to `names` each name that would exclude a host of the list. Returns 0, or
 * -1 if memory cannot be allocated.
 */
int host_set_names(const struct hosts *, struct string_map *names);

/*
 * True if excluding this host would remove a host whose names host_set_names()
 * has added to `names`.
 */
bool host_set_would_exclude(
	const struct string_map *names, const struct host *);

#endif
