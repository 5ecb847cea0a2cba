#include "core/poll_set.h"

#include "clock.h"

#include <errno.h>
#include <stdlib.h>

#define ROOM_FIRST 64
#define RETRY_MS 10 /* pause after memory has run out, in ms */

static int
grow(struct poll_set *set)
{
	size_t room = set->room > 0 ? set->room * 2 : ROOM_FIRST;
	struct poll_owner *owners;
	struct pollfd *fds;

	if ((fds = reallocarray(set->fds, room, sizeof(*fds))) == NULL)
		return -1;
	set->fds = fds;
	owners = reallocarray(set->owners, room, sizeof(*owners));
	if (owners == NULL)
		return -1;
	set->owners = owners;
	set->room = room;
	return 0;
}

void
poll_set_add(struct poll_set *set, int fd, short events, enum poll_kind kind,
	void *object)
{
	if (set->n == set->room && grow(set) != 0) {
		set->incomplete = true;
		return;
	}
	set->fds[set->n] = (struct pollfd){ .fd = fd, .events = events };
	set->owners[set->n++] = (struct poll_owner){ kind, object };
}

void
poll_set_wait(struct poll_set *set, int64_t now, int64_t deadline,
	const sigset_t *mask)
{
	struct timespec ts, *timeout = NULL;
	int64_t left;
	size_t i;

	if (set->incomplete)
		deadline = clock_earlier(deadline, now + RETRY_MS);
	set->incomplete = false;
	if (deadline != CLOCK_NEVER) {
		left = deadline > now ? deadline - now : 0;
		ts.tv_sec = left / 1000;
		ts.tv_nsec = left % 1000 * 1000000;
		timeout = &ts;
	}
	if (ppoll(set->fds, set->n, timeout, mask) >= 0)
		return;
	for (i = 0; i < set->n; i++)
		set->fds[i].revents = 0;
	if (errno != EINTR)
		poll(NULL, 0,
			RETRY_MS); /* do not spin, for example after ENOMEM */
}

void
poll_set_free(struct poll_set *set)
{
	free(set->fds);
	free(set->owners);
}
