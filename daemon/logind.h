/*
 * What systemd-logind answers, as busctl(1) prints it: who holds a shutdown
 * back, and which one is scheduled. Pure; see org.freedesktop.login1(5).
 */
#ifndef BRIDLE_LOGIND_H
#define BRIDLE_LOGIND_H

#include "buf.h"

/*
 * From ListInhibitors, 'a(ssssuu) 1 "shutdown" "who" "why" "block" uid pid':
 * the first that blocks a shutdown is appended for a person to read. 1 if
 * there is one, 0 if not, -1 if the text is something else.
 */
int logind_inhibitor(const char *text, struct buf *out);

/*
 * From ScheduledShutdown, '(st) "poweroff" microseconds': appends "poweroff
 * at 2026-11-21 22:00", in local time. 1, 0 if none is scheduled, -1.
 */
int logind_schedule(const char *text, struct buf *out);

#endif
