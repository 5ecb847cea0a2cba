/*
 * A parser for replies of systemd-logind, as busctl(1) prints them: the
 * inhibitors, the scheduled shutdown, and the ability to suspend. The functions
 * only parse text. See org.freedesktop.login1(5).
 */
#ifndef BRIDLE_LOGIND_H
#define BRIDLE_LOGIND_H

#include "buf.h"

/*
 * Read a reply to ListInhibitors, 'a(ssssuu) 1 "shutdown" "who" "why" "block"
 * uid pid'. Append a description of the first inhibitor that blocks a shutdown.
 * Return 1 if an inhibitor blocks a shutdown, 0 if no inhibitor does, or -1 if
 * the text has another format.
 */
int logind_inhibitor(const char *text, struct buf *out);

/* Like logind_inhibitor(), but for an inhibitor that blocks a suspend. */
int logind_sleep_inhibitor(const char *text, struct buf *out);

/*
 * Read a reply to CanSuspend or CanHibernate, such as 's "yes"'. Return 0 if
 * the reply is "yes". Otherwise append the word of the reply, such as "na", and
 * return 1. Return -1 if the text has another format.
 */
int logind_cannot(const char *text, struct buf *out);

/*
 * Read the property ScheduledShutdown, '(st) "poweroff" microseconds'. Append
 * "poweroff at 2026-11-21 22:00", in local time. Return 1 if a shutdown is
 * scheduled, 0 if not, or -1 if the text has another format.
 */
int logind_schedule(const char *text, struct buf *out);

/*
 * Like logind_schedule(), but append the time zone too, and "(tomorrow)" if the
 * shutdown is tomorrow.
 */
int logind_schedule_with_zone(const char *text, struct buf *out);

#endif
