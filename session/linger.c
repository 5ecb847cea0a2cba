#include "linger.h"

#include "clock.h"

#include <linux/sockios.h>
#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINGER_MS 1000

void
linger(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int64_t deadline = clock_ms() + LINGER_MS, now;
	char waste[4096];

	while ((now = clock_ms()) < deadline &&
		poll(&p, 1, (int)(deadline - now)) > 0)
		if (read(fd, waste, sizeof(waste)) <= 0)
			return;
}

void
linger_flush(int fd)
{
	int64_t deadline = clock_ms() + LINGER_MS;
	int unsent;

	while (ioctl(fd, SIOCOUTQ, &unsent) == 0 && unsent > 0 &&
		clock_ms() < deadline)
		poll(NULL, 0, 5);
}
