#include "fanout/progress.h"

#include "buf.h"
#include "clock.h"
#include "util/text_width.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ms from the start until the line is drawn for the first time */
#define DRAW_FIRST 500
#define DRAW_EVERY 200 /* ms between two updates of the line */
#define CLEAR_LINE "\r\033[K"

void
progress_begin(struct progress *p, size_t total)
{
	memset(p, 0, sizeof(*p));
	p->total = total;
	p->started_at = clock_ms();
	p->draw_at = p->started_at + DRAW_FIRST;
	p->terminal = isatty(STDERR_FILENO);
}

/*
 * Append an estimate of the remaining time. The estimate assumes that a
 * remaining host needs as much time as a finished host.
 */
static void
add_time_left(struct buf *out, const struct progress *p, int64_t now)
{
	int64_t seconds;

	if (p->done == 0)
		return;
	seconds = (now - p->started_at) * (int64_t)(p->total - p->done) /
			  (int64_t)p->done / 1000 +
		  1;
	if (seconds < 120)
		buf_addf(out, ", %lld s left", (long long)seconds);
	else
		buf_addf(out, ", %lld min left", (long long)seconds / 60);
}

int64_t
progress_draw(struct progress *p)
{
	int64_t now = clock_ms();
	struct buf line = { 0 };

	if (!p->terminal)
		return INT64_MAX;
	if (now < p->draw_at)
		return p->draw_at;
	buf_addf(&line, "%zu of %zu done, %zu failed, ", p->done, p->total,
		p->failed);
	if (p->paused)
		buf_adds(&line, "pausing");
	else
		buf_addf(&line, "%zu running", p->running);
	add_time_left(&line, p, now);
	/*
	 * Shorten the line to one row of the terminal, because CLEAR_LINE
	 * clears only one row.
	 */
	fprintf(stderr, CLEAR_LINE "%.*s",
		(int)text_width_terminal(STDERR_FILENO) - 1, buf_str(&line));
	fflush(stderr);
	buf_free(&line);
	p->shown = true;
	p->draw_at = now + DRAW_EVERY;
	return p->draw_at;
}

void
progress_clear(struct progress *p)
{
	if (!p->shown)
		return;
	fputs(CLEAR_LINE, stderr);
	fflush(stderr);
	p->shown = false;
	p->draw_at = clock_ms();
}
