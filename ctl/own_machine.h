/*
 * Whether a target is the machine that this runs on.
 */
#ifndef BRIDLE_OWN_MACHINE_H
#define BRIDLE_OWN_MACHINE_H

#include "targets.h"

#include <stdbool.h>

/*
 * By its name and addresses, without asking anybody: a name that only a name
 * service knows to be ours is not found out. Any unix socket counts as ours.
 */
bool own_machine(const struct target *);

#endif
