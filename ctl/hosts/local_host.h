/*
 * Finds out if a target is the machine on which bridlectl runs.
 */
#ifndef BRIDLE_LOCAL_HOST_H
#define BRIDLE_LOCAL_HOST_H

#include "hosts/target.h"

#include <stdbool.h>

/*
 * True if the target's name or address belongs to this machine. A unix socket
 * is always on this machine. The function does not use DNS. If only DNS knows
 * that the name belongs to this machine, the result is false.
 */
bool local_host_matches(const struct target *);

#endif
