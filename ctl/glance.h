/*
 * What the daemon of this machine has to say, for completion: soon, or not.
 */
#ifndef BRIDLE_GLANCE_H
#define BRIDLE_GLANCE_H

#include "reply.h"
#include "targets.h"
#include "verbs.h"

/*
 * Asks for a verb that takes no arguments. 0, or -1 where there is no whole
 * answer within half a second, or where it is not a unix socket.
 */
int glance(const struct target *, enum verb_number, struct reply *);

#endif
