/*
 * How long to wait, as people write it. Pure.
 */
#ifndef BRIDLE_DELAY_H
#define BRIDLE_DELAY_H

/*
 * 10 or 10m, 2h, 90s, 1d: whole minutes, to which seconds are rounded up. -1
 * if it is none of that, or more than a week.
 */
long delay_minutes(const char *);

#endif
