/*
 * Removes duplicates and excluded hosts from a list of hosts. No I/O.
 */
#ifndef BRIDLE_HOST_SET_H
#define BRIDLE_HOST_SET_H

#include "hosts/host.h"
#include "util/string_map.h"

#include <stdbool.h>

/*
 * Remove each host whose transport and address are equal to those of an earlier
 * host. Returns 0, or -1 if memory cannot be allocated.
 */
int host_set_unique(struct hosts *);

/*
 * Remove each host that is also in `without`. Two hosts are the same host in
 * two cases. Either the labels are equal, or both the transports and the
 * addresses are equal. If a name in `without` has no port, remove the host with
 * every port. Returns 0, or -1 if memory cannot be allocated.
 */
int host_set_exclude(struct hosts *, const struct hosts *without);

/*
 * Add to `names` all names by which --exclude could name a host of the list.
 * Returns 0, or -1 if memory cannot be allocated.
 */
int host_set_names(const struct hosts *, struct string_map *names);

/*
 * True if --exclude with this host would remove a host of the list. `names` has
 * the names that host_set_names() has added for the list.
 */
bool host_set_would_exclude(
	const struct string_map *names, const struct host *);

#endif
