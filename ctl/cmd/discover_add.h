/*
 * Adds discovered machines to bridlectl.conf, for `discover --add`.
 */
#ifndef BRIDLE_DISCOVER_ADD_H
#define BRIDLE_DISCOVER_ADD_H

#include "cli/exit_status.h"
#include "hosts/client_conf.h"
#include "hosts/discovered.h"

#include <stdbool.h>

/*
 * Add the machines and the group to the user's bridlectl.conf, after a question
 * unless `yes` is true. Machines whose host name is not valid, and machines
 * whose name has another meaning already, are left out with a message. No key
 * becomes trusted. Return OUTCOME_DONE if all machines are in the group.
 */
enum outcome discover_add(const struct discoveries *,
	const struct client_conf *, const char *group, bool yes);

#endif
