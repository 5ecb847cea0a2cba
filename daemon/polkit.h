/*
 * What the polkit rule for this service (conf/bridle.rules) goes by.
 */
#ifndef BRIDLE_POLKIT_H
#define BRIDLE_POLKIT_H

#include "settings.h"

/*
 * Makes or removes POLKIT_OVERRIDE, which tells the rule whether we may halt
 * the machine although an inhibitor is held. Only where its folder is ours, as
 * that of the system's own service is. To be called whenever settings come
 * into force. 0, or -1 with errno.
 */
#define POLKIT_OVERRIDE RUNDIR "/bridle/override-inhibitors"
int polkit_tell(const struct settings *);

#endif
