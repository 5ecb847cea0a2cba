/*
 * Functions that reap children that have ended: actions, sessions, fork
 * servers, group look-ups, loads of the configuration and the logger.
 */
#ifndef BRIDLE_REAP_H
#define BRIDLE_REAP_H

struct parent;

/*
 * Reap each dead child with waitid(2), and tell the module that started the
 * child.
 */
void reap_children(struct parent *);

#endif
