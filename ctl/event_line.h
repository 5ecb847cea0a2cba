/*
 * Records of a watch, for people: a line each, in columns that grow with what
 * has been seen.
 */
#ifndef BRIDLE_EVENT_LINE_H
#define BRIDLE_EVENT_LINE_H

#include "invocation.h"
#include "reply.h"

#include <stdbool.h>
#include <stddef.h>

struct event_line {
	bool hosts;        /* with the host's name */
	bool chat;         /* as talk: who says what */
	size_t host_width; /* of the widest */
	size_t name_width; /* of those that were seen */
};

/* The host_width for those of an invocation. */
size_t event_line_hosts(const struct invocation *);

/* Appends the line of a row, safe to show, with its LF. */
void event_line_add(struct event_line *, const char *host, const struct reply *,
	size_t row, struct buf *out);

#endif
