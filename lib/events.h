/* The kinds of events, and places in the history of events. No I/O. */
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
	/*
	 * number of the kinds above; only their events have a number and a
	 * history
	 */
	EVENT_KINDS,
	EVENT_WATCHING = EVENT_KINDS, /* first record of a watch */
	EVENT_MISSED, /* record that the history no longer has some events */
	EVENT_HEARTBEAT,
	EVENT_ALL_KINDS
};

#define EVENT_BIT(kind) (1u << (kind))
#define EVENT_ALL (EVENT_BIT(EVENT_KINDS) - 1)

/*
 * Names of the kinds, as in records and in the option `events=`. The array ends
 * with NULL.
 */
extern const char *const event_names[EVENT_ALL_KINDS + 1];

/*
 * Parse a comma-separated list of kinds into *bits. Set EVENT_BIT() of each
 * kind in the list. Return false if a word in the list is not the name of a
 * kind below EVENT_KINDS.
 */
bool events_parse(const char *list, unsigned *bits);

/*
 * A place in the history, at which a watch resumes. The place is directly after
 * the event with this number. Event numbers belong to one run of the daemon,
 * from its start to its end. The member `run` identifies this run. If `has_run`
 * is false, the run is not known.
 */
struct event_place {
	bool has_run;
	unsigned long long run;
	uint64_t number;
};

/*
 * Parse "RUN-NUMBER", where RUN is hexadecimal, or "NUMBER". Return false if
 * the text has neither form.
 */
bool events_place(const char *, struct event_place *);

#endif
