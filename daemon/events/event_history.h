/*
 * The history: the latest events, each with its number and with the line that
 * subscribers receive. A child of the daemon does not inherit the memory of the
 * history.
 */
#ifndef BRIDLE_EVENT_HISTORY_H
#define BRIDLE_EVENT_HISTORY_H

#include "events.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_NAME_MAX 65 /* size of a client's name, NUL included */
#define HISTORY_TO_MAX 97   /* size of a receiver's name, NUL included */

struct event_history_record {
	uint64_t number;
	enum event_kind kind;
	/* name of the client that caused the event */
	char name[HISTORY_NAME_MAX];
	/* receiver of the event; "" for all subscribers */
	char to[HISTORY_TO_MAX];
	/* offset and length of the line in history.lines */
	uint32_t start, len;
};

struct history {
	/* ring buffer of `room` records */
	struct event_history_record *records;
	char *lines; /* ring buffer of `size` bytes, with the lines */
	size_t room; /* maximum number of records; 0 to keep no record */
	size_t size;
	size_t first, n; /* index of the oldest record, and number of records */
	size_t head;     /* offset in `lines` at which the next line begins */
	/* number of the newest event, even if the history does not keep it */
	uint64_t last;
	void *memory;    /* memory mapping of `records` and `lines` */
	size_t mapped;   /* size of the memory mapping in bytes */
	unsigned unsent; /* number of records added since the last send() */
	/*
	 * Function that sends the new records to subscribers, and sets `unsent`
	 * to 0.
	 */
	void (*send)(void *send_to);
	void *send_to;
};

/*
 * Set up an empty history for at most `room` records. Long lines reduce the
 * number of records that fit. Return 0, or -1 with errno.
 */
int event_history_open(struct history *, size_t room);

/*
 * Change the maximum number of records to `room`, and keep the newest records.
 * Return 0, or -1 with errno. After a failure, the history is unchanged.
 */
int event_history_resize(struct history *, size_t room);

/* Return the number that the next record will have. */
uint64_t event_history_next(const struct history *);

/*
 * Add a record and its line to the history. The history copies the record and
 * the line. The caller fills in all members of the record except `start` and
 * `len`. The oldest records are dropped to make room.
 */
void event_history_add(struct history *, const struct event_history_record *,
	const char *line, size_t len);

/*
 * Return the number of the oldest record, or event_history_next() if the
 * history is empty.
 */
uint64_t event_history_oldest(const struct history *);

/*
 * event_history_get() returns the record with this number, which must still be
 * in the history. event_history_line() returns the line of a record, which has
 * `len` bytes and no NUL. The results are valid until the next change of the
 * history.
 */
const struct event_history_record *event_history_get(
	const struct history *, uint64_t);
const char *event_history_line(
	const struct history *, const struct event_history_record *);

/* Free the memory of the history. A second call does nothing. */
void event_history_close(struct history *);

#endif
