#include "net/hangup.h"

#include <sys/epoll.h>

int
hangup_open(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

void
hangup_add(int set, int client, uint64_t number)
{
	/*
	 * Request no events, because epoll(7) always reports hang-ups and
	 * errors.
	 */
	struct epoll_event once = { .events = EPOLLONESHOT,
		.data.u64 = number };

	epoll_ctl(set, EPOLL_CTL_ADD, client, &once);
}

bool
hangup_next(int set, uint64_t *number)
{
	struct epoll_event event;

	if (epoll_wait(set, &event, 1, 0) != 1)
		return false;
	*number = event.data.u64;
	return true;
}
