/*
 * Shows the progress of a fan-out in a line on stderr. If stderr is not a
 * terminal, nothing is shown.
 */
#ifndef BRIDLE_PROGRESS_H
#define BRIDLE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	/* Numbers of hosts. The caller updates these members. */
	size_t total;
	size_t done;
	size_t failed;
	size_t running;
	bool paused; /* true during the pause between two batches */
	/* Private: */
	int64_t started_at;
	int64_t draw_at;
	bool shown;
	bool terminal;
};

void progress_begin(struct progress *, size_t total);

/*
 * Draw the line if the next update is due. Return the time of the next update,
 * as clock_ms(), or INT64_MAX if stderr is not a terminal.
 */
int64_t progress_draw(struct progress *);

/*
 * Clear the line. Call this function before any other output to the terminal.
 */
void progress_clear(struct progress *);

#endif
