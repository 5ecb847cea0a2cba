/*
 * Finds candidates in bridlectl.conf and known_hosts. Errors in these files
 * cause no messages, but candidates may be missing.
 */
#ifndef BRIDLE_COMPLETE_HOSTS_H
#define BRIDLE_COMPLETE_HOSTS_H

#include "complete/candidates.h"

#include <stdbool.h>

struct hosts;

/* Add the hosts that use TLS, and all groups, for the command `trust`. */
void complete_hosts_names(struct candidates *);

/* Add the groups of bridlectl.conf, without "@". */
void complete_hosts_groups(struct candidates *);

/*
 * Add candidates for the last word of a list of hosts: names, groups, and the
 * prefixes "unix:" and "plain:". Keep the earlier words of the list.
 */
void complete_hosts_list(struct candidates *);

/*
 * True if the list has exactly one host. In this case, `hosts` contains this
 * host. False if the list has several hosts or cannot be expanded. If `list` is
 * NULL, use the default hosts. In all cases, the caller must call hosts_free().
 */
bool complete_hosts_only(struct hosts *, const char *list);

#endif
