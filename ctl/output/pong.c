#include "output/pong.h"

#include "output/render.h"
#include "text.h"

/*
 * Append a duration in its largest unit and the next smaller unit, as in "3d
 * 4h". A smaller unit that is zero is left out.
 */
static void
add_duration(struct buf *out, long seconds)
{
	static const struct {
		long seconds;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	size_t i = 0;

	while (i < 3 && seconds < units[i].seconds)
		i++;
	buf_addf(out, "%ld%c", seconds / units[i].seconds, units[i].unit);
	seconds %= units[i].seconds;
	if (i < 3 && seconds / units[i + 1].seconds > 0)
		buf_addf(out, " %ld%c", seconds / units[i + 1].seconds,
			units[i + 1].unit);
}

int
pong_print(const char *label, const struct reply *r, int64_t microseconds)
{
	const char *version = reply_pair(r, "version");
	const char *uptime = reply_pair(r, "uptime");
	struct buf line = { 0 };
	long seconds;
	int result;

	/*
	 * Do not print the text of the host's status. A hostile host could
	 * begin this text with the name of another host.
	 */
	buf_addf(&line, "pong from %s: bridled", label);
	if (version != NULL)
		buf_addf(&line, " %s", version);
	if (microseconds >= 0 && uptime != NULL &&
		text_number(uptime, 0, INT32_MAX, &seconds) == 0) {
		buf_adds(&line, ", up ");
		add_duration(&line, seconds);
	}
	if (microseconds >= 0)
		buf_addf(&line, ", %.1f ms", (double)microseconds / 1e3);
	result = render_line("%s", buf_str(&line));
	buf_free(&line);
	return result;
}
