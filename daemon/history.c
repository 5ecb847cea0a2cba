#include "history.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define LINE_USUAL 512 /* bytes: more than most have */
#define LINES_MIN 65536

int
history_open(struct history *h, size_t room)
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
	/* A fork need not copy what it has no use for. */
	if (madvise(h->memory, h->mapped, MADV_DONTFORK) != 0) {
		history_close(h);
		return -1;
	}
	h->records = h->memory;
	h->lines = (char *)h->memory + room * sizeof(h->records[0]);
	h->room = room;
	h->size = size;
	return 0;
}

uint64_t
history_next(const struct history *h)
{
	return h->last + 1;
}

uint64_t
history_oldest(const struct history *h)
{
	return history_next(h) - h->n;
}

const struct history_record *
history_get(const struct history *h, uint64_t number)
{
	size_t i = (size_t)(number - history_oldest(h));

	return &h->records[(h->first + i) % h->room];
}

const char *
history_line(const struct history *h, const struct history_record *r)
{
	return h->lines + r->start;
}

static void
drop_oldest(struct history *h)
{
	h->first = (h->first + 1) % h->room;
	h->n--;
}

/* Where a line of that length goes, once what stood there has been dropped. */
static size_t
make_room(struct history *h, size_t len)
{
	const struct history_record *oldest;
	size_t start = h->head;

	if (start + len > h->size) {
		/* What stands behind is older than all that stands before. */
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
history_add(struct history *h, const struct history_record *r, const char *line,
	size_t len)
{
	struct history_record *to;
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
history_resize(struct history *h, size_t room)
{
	const struct history_record *r;
	struct history fresh;
	uint64_t number;

	if (room == h->room)
		return 0;
	if (history_open(&fresh, room) != 0)
		return -1;
	fresh.last = history_oldest(h) - 1;
	for (number = history_oldest(h); number <= h->last; number++) {
		r = history_get(h, number);
		history_add(&fresh, r, history_line(h, r), r->len);
	}
	history_close(h);
	*h = fresh;
	return 0;
}

void
history_close(struct history *h)
{
	int saved = errno;

	if (h->memory != NULL)
		munmap(h->memory, h->mapped);
	memset(h, 0, sizeof(*h));
	errno = saved;
}
