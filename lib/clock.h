/* Time that never goes back, for deadlines and durations. */
#ifndef BRIDLE_CLOCK_H
#define BRIDLE_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER INT64_MAX

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t clock_ms(void);

#endif
