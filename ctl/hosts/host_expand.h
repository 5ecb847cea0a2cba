/*
 * Expands a list of names, patterns and groups to hosts, with the settings of
 * bridlectl.conf.
 */
#ifndef BRIDLE_HOST_EXPAND_H
#define BRIDLE_HOST_EXPAND_H

#include "buf.h"
#include "hosts/client_conf.h"
#include "hosts/host.h"

#include <stdbool.h>

/* The word that stands for all configured hosts. */
#define HOST_ALL "@*"

/*
 * Append the hosts in a list that has the form of -H. Returns 0, or -1 with a
 * sentence appended to error. After an error, some hosts of the list may have
 * been appended.
 */
int host_expand(struct hosts *, const struct client_conf *, const char *list,
	struct buf *error);

/*
 * True if each word of the list begins with "unix:" or "plain:". bridlectl.conf
 * has no settings for such hosts.
 */
bool host_is_literal(const char *list);

#endif
