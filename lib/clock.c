#include "clock.h"

#include <stdlib.h>
#include <time.h>

int64_t
clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_ms(void)
{
	return clock_us() / 1000;
}

int64_t
clock_real_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_boot_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
clock_follow_zone(void)
{
	/*
	 * tzset(3) reads /etc/localtime again only if the inode or the
	 * modification time of this file has changed. tzset() compares whole
	 * seconds, so it can miss a change. The zone UTC0 needs no file. After
	 * a call with this zone, the next tzset() always reads /etc/localtime.
	 */
	if (getenv("TZ") == NULL && setenv("TZ", "UTC0", 1) == 0) {
		tzset();
		unsetenv("TZ");
	}
	tzset();
}

int
clock_left(int64_t deadline)
{
	int64_t left = deadline - clock_ms();

	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}
