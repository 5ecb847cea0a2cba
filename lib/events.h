/*
 * What a watch tells of: one row a kind. No I/O.
 */
#ifndef BRIDLE_EVENTS_H
#define BRIDLE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_kind {
	EVENT_ONLINE,
	EVENT_OFFLINE,
	EVENT_REQUEST,
	EVENT_HALT,
	EVENT_MESSAGE,
	EVENT_RELOAD,
	EVENT_PENALTY,
	EVENT_KINDS, /* those above have numbers, and are kept for a while */
	EVENT_WATCHING = EVENT_KINDS, /* the watch begins */
	EVENT_MISSED,                 /* something is not known any more */
	EVENT_HEARTBEAT,
	EVENT_ALL_KINDS
};

#define EVENT_BIT(kind) (1u << (kind))
#define EVENT_ALL (EVENT_BIT(EVENT_KINDS) - 1)

/* As the records and events= call them; ends with NULL. */
extern const char *const event_names[EVENT_ALL_KINDS + 1];

/*
 * Reads a list of kinds that have numbers, with commas between, into bits.
 * False if it is not one.
 */
bool events_parse(const char *list, unsigned *bits);

/* Where a watch is to go on: after that number of that run of the daemon. */
struct event_place {
	bool has_run;
	unsigned long long run;
	uint64_t number;
};

/* Reads "RUN-NUMBER", where RUN is hexadecimal, or "NUMBER". */
bool events_place(const char *, struct event_place *);

#endif
