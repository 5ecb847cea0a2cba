/*
 * The file that passes the setting override_inhibitors to the polkit rule of
 * this service (conf/bridle.rules).
 */
#ifndef BRIDLE_POLKIT_H
#define BRIDLE_POLKIT_H

#include "config/settings.h"

/*
 * If override_inhibitors is true, create the file POLKIT_OVERRIDE. Otherwise,
 * remove this file. If the file exists, the polkit rule lets the daemon halt
 * the machine despite an inhibitor. Do nothing if the daemon is root or does
 * not own the folder. The caller calls this function whenever settings become
 * effective. Return 0, or -1 with errno.
 */
#define POLKIT_OVERRIDE RUNDIR "/bridle/override-inhibitors"
int polkit_tell(const struct settings *);

#endif
