/*
 * Functions that read the clocks of the machine. CLOCK_MONOTONIC never goes
 * back, and is for deadlines and durations. CLOCK_REALTIME is the date and time
 * of the machine, and is for times that a person has chosen.
 */
#ifndef BRIDLE_CLOCK_H
#define BRIDLE_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER INT64_MAX

/* Return the time of CLOCK_MONOTONIC in milliseconds. */
int64_t clock_ms(void);

/* Return the time of CLOCK_MONOTONIC in microseconds. */
int64_t clock_us(void);

/*
 * Return the time of CLOCK_REALTIME in milliseconds since 1970. This clock
 * changes when somebody sets the time of the machine.
 */
int64_t clock_real_ms(void);

/*
 * Return the time of CLOCK_BOOTTIME in milliseconds. Unlike clock_ms(), this
 * clock also counts the time in which the machine was suspended.
 */
int64_t clock_boot_ms(void);

/* Return the earlier of two deadlines. */
static inline int64_t
clock_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/*
 * Make localtime_r(3) use the present time zone of the machine. The zone can
 * have changed since the process started. If $TZ is set, use the zone in $TZ.
 */
void clock_follow_zone(void);

/*
 * Return the milliseconds until a deadline in the time of clock_ms(). The
 * result can be a timeout for poll(2). Return 0 if the deadline has passed.
 */
int clock_left(int64_t deadline);

#endif
