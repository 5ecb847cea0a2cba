/*
 * The option --entry of bridled. It shows the entries of `clients` that have a
 * given key or name, with the file and the line of each entry.
 */
#ifndef BRIDLE_ENTRY_SHOW_H
#define BRIDLE_ENTRY_SHOW_H

#include "config/settings.h"

/*
 * Print a line for each entry of `clients` that has this key or this name, in
 * the order in which the daemon tries the entries: "FILE:LINE: NAME from
 * NETWORK,… until TIME". The networks and the time are left out if the entry
 * does not have them. Return 0. If there is no such entry, print a message and
 * return EX_NOUSER.
 */
int entry_show(const struct settings *, const char *what);

#endif
