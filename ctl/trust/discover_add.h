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
 * Add the machines and the group to the user's bridlectl.conf. If `yes` is
 * false, ask the user first. Leave out a machine whose host name is not valid,
 * is announced twice, or names another host in bridlectl.conf. Print a message
 * for each such machine. No key becomes trusted. Return OUTCOME_DONE if all
 * machines are in the group.
 */
enum outcome discover_add(const struct discoveries *,
	const struct client_conf *, const char *group, bool yes);

#endif
