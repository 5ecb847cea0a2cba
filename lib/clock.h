/* Time that never goes back, for deadlines and durations. */
#ifndef BRIDLE_CLOCK_H
#define BRIDLE_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER INT64_MAX

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t clock_ms(void);

/* Microseconds of it. */
int64_t clock_us(void);

/* How many are left until then, for poll(2); 0 once it has passed. */
int clock_left(int64_t deadline);

#endif
