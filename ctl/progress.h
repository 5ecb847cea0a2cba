/*
 * How far a call to many hosts is: a line on a terminal's stderr, and what
 * ^C shows.
 */
#ifndef BRIDLE_PROGRESS_H
#define BRIDLE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	size_t total;
	size_t done;
	size_t failed;
	size_t running;
	bool paused; /* between two batches */
	/* of its own: */
	int64_t begun;
	int64_t next; /* when to draw again */
	bool shown;
	bool terminal;
};

void progress_begin(struct progress *, size_t total);

/*
 * Draws the line if it is time for it. Returns when that will be, as of
 * clock_ms(); INT64_MAX without a terminal.
 */
int64_t progress_draw(struct progress *);

/* Makes room for other output. */
void progress_clear(struct progress *);

#endif
