/*
 * Asks the user to confirm a command, after a dry run on all hosts. For several
 * hosts, the user must type the number of hosts.
 */
#ifndef BRIDLE_CONFIRM_HOSTS_H
#define BRIDLE_CONFIRM_HOSTS_H

#include "cli/invocation.h"
#include "fanout/host_order.h"
#include "fanout/result.h"

#include <stdbool.h>

/*
 * True if the command is allowed on a host and has something to do there.
 * `preview` is the result of the dry run on the host.
 */
bool confirm_hosts_needed(
	const struct invocation *, const struct result *preview);

/*
 * Show the results of the dry run, and ask the user. `previews` has one result
 * for each host. A result whose `host` is NULL is not shown. If `previews` is
 * NULL, ask without showing results. Return true if the user agrees. Otherwise
 * print that nothing was done, and return false.
 */
bool confirm_hosts(const struct invocation *, const struct result *previews,
	const struct host_order *);

#endif
