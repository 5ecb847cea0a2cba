/*
 * What an action is about, as its status calls it. Pure.
 */
#ifndef BRIDLE_ABOUT_H
#define BRIDLE_ABOUT_H

#include "buf.h"
#include "request.h"

/* "reboot now", "reboot in 5 minutes", "reboot at 22:00" */
void about_halt(const struct request *, struct buf *);

/* The name, made safe and not too long: "firefox" */
void about_kill(const struct request *, struct buf *);

#endif
