/*
 * The last records of what has happened, numbered, each as the line that goes
 * to whoever watches. Children do not have this memory.
 */
#ifndef BRIDLE_HISTORY_H
#define BRIDLE_HISTORY_H

#include "events.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_NAME_MAX 65 /* of a client, with the NUL */
#define HISTORY_TO_MAX 97   /* of whom it is for, likewise */

struct history_record {
	uint64_t number;
	enum event_kind kind;
	char name[HISTORY_NAME_MAX]; /* of the client that it is about */
	char to[HISTORY_TO_MAX];     /* "": for all */
	uint32_t start, len;         /* of its line, in the memory */
};

struct history {
	struct history_record *records; /* a ring; NULL: none are kept */
	char *lines;
	size_t room; /* for so many records, at most */
	size_t size; /* bytes of lines, at most */
	size_t first, n, head;
	uint64_t last; /* the number of the last one that there was */
	void *memory;
	size_t mapped;
};

/* Room for so many records of usual length. 0, or -1 with errno. */
int history_open(struct history *, size_t room);

/* From now on room for so many; the last ones are kept. Likewise. */
int history_resize(struct history *, size_t room);

/* The number that the next record will have. */
uint64_t history_next(const struct history *);

/*
 * Adds a record with that number; its place in the memory need not be filled
 * in. The oldest make way.
 */
void history_add(struct history *, const struct history_record *,
	const char *line, size_t len);

/* The oldest that is kept; history_next() if none is. */
uint64_t history_oldest(const struct history *);

/* The record of that number, which must be kept; then its line. */
const struct history_record *history_get(const struct history *, uint64_t);
const char *history_line(const struct history *, const struct history_record *);

/* May be done twice. */
void history_close(struct history *);

#endif
