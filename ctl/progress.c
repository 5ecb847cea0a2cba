#include "progress.h"

#include "buf.h"
#include "clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FIRST 500 /* ms: what is over sooner needs no line */
#define EVERY 200 /* ms */
#define COLUMNS_DEFAULT 80

void
progress_begin(struct progress *p, size_t total)
{
	memset(p, 0, sizeof(*p));
	p->total = total;
	p->begun = clock_ms();
	p->next = p->begun + FIRST;
	p->terminal = isatty(STDERR_FILENO);
}

/* As if the rest took as long as what is done. */
static void
add_time_left(struct buf *out, const struct progress *p, int64_t now)
{
	int64_t seconds;

	if (p->done == 0)
		return;
	seconds = (now - p->begun) * (int64_t)(p->total - p->done) /
			  (int64_t)p->done / 1000 +
		  1;
	if (seconds < 120)
		buf_addf(out, ", %lld s left", (long long)seconds);
	else
		buf_addf(out, ", %lld min left", (long long)seconds / 60);
}

static int
columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return COLUMNS_DEFAULT;
	return size.ws_col;
}

int64_t
progress_draw(struct progress *p)
{
	int64_t now = clock_ms();
	struct buf line = { 0 };

	if (!p->terminal)
		return INT64_MAX;
	if (now < p->next)
		return p->next;
	buf_addf(&line, "%zu of %zu done, %zu failed, ", p->done, p->total,
		p->failed);
	if (p->paused)
		buf_adds(&line, "pausing");
	else
		buf_addf(&line, "%zu running", p->running);
	add_time_left(&line, p, now);
	fputs("\r\033[K", stderr);
	/* A line that wraps could not be taken back. */
	fprintf(stderr, "%.*s", columns() - 1, buf_str(&line));
	fflush(stderr);
	buf_free(&line);
	p->shown = true;
	p->next = now + EVERY;
	return p->next;
}

void
progress_clear(struct progress *p)
{
	if (!p->shown)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	p->shown = false;
	p->next = clock_ms();
}
