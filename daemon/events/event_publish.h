/*
 * Functions that create events, which subscribers receive immediately or later
 * from the history.
 */
#ifndef BRIDLE_EVENT_PUBLISH_H
#define BRIDLE_EVENT_PUBLISH_H

#include "buf.h"
#include "events/event_history.h"

/*
 * The columns of one event's line. A column is NULL if it does not apply to the
 * event.
 */
struct event {
	enum event_kind kind;
	const char *name, *source, *transport, *request, *arguments, *verdict;
	int code; /* status code; 0 if the event has none */
	const char *text, *id, *to;
};

/* Give the event the next number, and add the event to the history. */
void event_publish(struct history *, const struct event *);

/* Append the line of the event, with this number, to the buffer. */
void event_write(const struct event *, uint64_t number, struct buf *);

#endif
