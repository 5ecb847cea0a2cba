/*
 * Formats events as lines for people. A column becomes wider when a wider text
 * arrives.
 */
#ifndef BRIDLE_EVENT_LINE_H
#define BRIDLE_EVENT_LINE_H

#include "cli/invocation.h"
#include "util/table.h"

#include <stdbool.h>
#include <stddef.h>

struct event_line {
	bool hosts;        /* true: begin each line with the name of the host */
	bool chat;         /* true: format the events as a conversation */
	size_t host_width; /* width of the longest host name, in terminal
			      columns */
	/* width of the widest client that was printed, in terminal columns */
	size_t name_width;
};

/*
 * Return the width of the longest host name of an invocation, for host_width.
 */
size_t event_line_hosts(const struct invocation *);

/*
 * Append one event as a line that ends with an LF. The event is a row of the
 * table. Unsafe characters are escaped.
 */
void event_line_add(struct event_line *, const char *host, const struct table *,
	size_t row, struct buf *out);

#endif
