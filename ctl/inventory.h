/*
 * What a list of hosts stands for: names, patterns, groups, and what
 * bridlectl.conf says of them.
 */
#ifndef BRIDLE_INVENTORY_H
#define BRIDLE_INVENTORY_H

#include "buf.h"
#include "client_conf.h"
#include "hosts.h"

#include <stdbool.h>

/* The list of all hosts that the configuration names. */
#define INVENTORY_ALL "@*"

/*
 * Appends the hosts of a list as -H takes it. 0, or -1 with a sentence
 * appended to error; what was appended stays.
 */
int inventory_add(struct hosts *, const struct client_conf *, const char *list,
	struct buf *error);

/* Whether all of the list is said without bridlectl.conf. */
bool inventory_is_literal(const char *list);

#endif
