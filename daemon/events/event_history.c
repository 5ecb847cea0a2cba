#include "events/event_history.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define LINE_USUAL 512 /* bytes reserved for a line; most lines are shorter */
#define LINES_MIN 65536

int
event_history_open(struct history *h, size_t room)
{
	size_t size = room * LINE_USUAL;

	memset(h, 0, sizeof(*h));
	if (size < LINES_MIN)
		size = LINES_MIN;
	h->mapped = room * sizeof(h->records[0]) + size;
	h->memory = mmap(NULL, h->mapped, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (h->memory == MAP_FAILED) {
		memset(h, 0, sizeof(*h));
		return -1;
	}
	/*
	 * Children do not use the history. Without a copy of the history,
	 * fork(2) is faster.
	 */
	if (madvise(h->memory, h->mapped, MADV_DONTFORK) != 0) {
		event_history_close(h);
		return -1;
	}
	h->records = h->memory;
	h->lines = (char *)h->memory + room * sizeof(h->records[0]);
	h->room = room;
	h->size = size;
	return 0;
}

uint64_t
event_history_next(const struct history *h)
{
	return h->last + 1;
}

uint64_t
event_history_oldest(const struct history *h)
{
	return event_history_next(h) - h->n;
}

const struct event_history_record *
event_history_get(const struct history *h, uint64_t number)
{
	size_t i = (size_t)(number - event_history_oldest(h));

	return &h->records[(h->first + i) % h->room];
}

const char *
event_history_line(
	const struct history *h, const struct event_history_record *r)
{
	return h->lines + r->start;
}

static void
drop_oldest(struct history *h)
{
	h->first = (h->first + 1) % h->room;
	h->n--;
}

/*
 * Drop the oldest records until a line of `len` bytes has room. Return the
 * offset in `lines` at which the room begins.
 */
static size_t
make_room(struct history *h, size_t len)
{
	const struct event_history_record *oldest;
	size_t start = h->head;

	if (start + len > h->size) {
		/*
		 * The new line does not fit behind `head`. Drop the lines
		 * behind `head`, which are the oldest, and put the new line at
		 * the beginning.
		 */
		while (h->n > 0 && h->records[h->first].start >= h->head)
			drop_oldest(h);
		start = 0;
	}
	while (h->n > 0) {
		oldest = &h->records[h->first];
		if (h->n < h->room &&
			(oldest->start >= start + len ||
				oldest->start + oldest->len <= start))
			break;
		drop_oldest(h);
	}
	return start;
}

void
event_history_add(struct history *h, const struct event_history_record *r,
	const char *line, size_t len)
{
	struct event_history_record *to;
	size_t start;

	h->last = r->number;
	if (h->room == 0 || len > h->size) {
		h->n = 0;
		return;
	}
	start = make_room(h, len);
	to = &h->records[(h->first + h->n) % h->room];
	*to = *r;
	to->start = (uint32_t)start;
	to->len = (uint32_t)len;
	memcpy(h->lines + start, line, len);
	h->head = start + len;
	h->n++;
}

int
event_history_resize(struct history *h, size_t room)
{
	const struct event_history_record *r;
	struct history fresh;
	uint64_t number;

	if (room == h->room)
		return 0;
	if (event_history_open(&fresh, room) != 0)
		return -1;
	fresh.unsent = h->unsent;
	fresh.send = h->send;
	fresh.send_to = h->send_to;
	fresh.last = event_history_oldest(h) - 1;
	for (number = event_history_oldest(h); number <= h->last; number++) {
		r = event_history_get(h, number);
		event_history_add(&fresh, r, event_history_line(h, r), r->len);
	}
	event_history_close(h);
	*h = fresh;
	return 0;
}

void
event_history_close(struct history *h)
{
	int saved = errno;

	if (h->memory != NULL)
		munmap(h->memory, h->mapped);
	memset(h, 0, sizeof(*h));
	errno = saved;
}
