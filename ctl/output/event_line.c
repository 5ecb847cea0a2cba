#include "output/event_line.h"

#include "text.h"
#include "util/text_width.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EVENT_WIDTH 8
/*
 * Maximum width of a cell that is filled up with spaces, in terminal columns.
 */
#define WIDTH_MAX 28

/* The columns of the event table that can appear in a line. */
enum cell {
	EVENT,
	NAME,
	SOURCE,
	TRANSPORT,
	REQUEST,
	ARGUMENTS,
	CODE,
	TEXT,
	TO,
	TIME,
	CELLS
};

static const char *const names[CELLS] = { [EVENT] = "event",
	[NAME] = "name",
	[SOURCE] = "source",
	[TRANSPORT] = "transport",
	[REQUEST] = "request",
	[ARGUMENTS] = "arguments",
	[CODE] = "code",
	[TEXT] = "text",
	[TO] = "to",
	[TIME] = "time" };

/* Copy all cells of a row to the array `c`, with unsafe characters escaped. */
static void
get_all(const struct table *t, size_t row, struct buf *c)
{
	struct buf raw = { 0 };
	bool message = false;
	size_t i;

	for (i = 0; i < CELLS; i++) {
		table_named_text(t, row, names[i], &raw);
		if (i == TEXT && message)
			text_safe_prose(&c[i], raw.data, raw.len);
		else
			text_safe(&c[i], raw.data, raw.len);
		message |= i == EVENT && strcmp(buf_str(&raw), "message") == 0;
		buf_str(&c[i]);
	}
	buf_free(&raw);
}

static void
add_time(struct buf *out, const char *digits)
{
	struct tm then;
	char text[16];
	long seconds;
	time_t t;

	if (text_number(digits, 0, INT32_MAX * 8L, &seconds) != 0)
		seconds = 0;
	t = (time_t)seconds;
	localtime_r(&t, &then);
	strftime(text, sizeof(text), "%H:%M:%S", &then);
	buf_addf(out, "%s  ", text);
}

/*
 * Append the text `s`, and then spaces up to *width columns. If the text is
 * wider, first increase *width, but not above WIDTH_MAX.
 */
static void
add_column(struct buf *out, const char *s, size_t *width)
{
	size_t w = text_width(s);

	if (w > *width)
		*width = w < WIDTH_MAX ? w : WIDTH_MAX;
	text_pad(out, s, *width);
	buf_adds(out, "  ");
}

/*
 * Append the client and its source, as in "alice (uid=1000)". An event of the
 * daemon itself has no client and no source.
 */
static void
add_who(struct buf *out, struct buf *c)
{
	buf_adds(out, c[NAME].len > 0 ? buf_str(&c[NAME]) : "");
	if (c[SOURCE].len > 0)
		buf_addf(out, c[NAME].len > 0 ? " (%s)" : "%s",
			buf_str(&c[SOURCE]));
}

/*
 * Append a request and its status, as in "kill firefox signal=KILL: 200 1
 * signalled".
 */
static void
add_request(struct buf *out, struct buf *c)
{
	size_t i;

	buf_adds(out, buf_str(&c[REQUEST]));
	for (i = 0; i < c[ARGUMENTS].len; i++)
		if (c[ARGUMENTS].data[i] == '#')
			c[ARGUMENTS].data[i] = ' ';
	if (c[ARGUMENTS].len > 0)
		buf_addf(out, " %s", buf_str(&c[ARGUMENTS]));
	buf_addf(out, ": %s %s", buf_str(&c[CODE]), buf_str(&c[TEXT]));
}

static bool
is(struct buf *c, const char *event)
{
	return strcmp(buf_str(&c[EVENT]), event) == 0;
}

static void
add_what(struct buf *out, struct buf *c)
{
	if (is(c, "request"))
		add_request(out, c);
	else if (c[TEXT].len > 0)
		buf_addf(out, "%s%s", c[TO].len > 0 ? "(to you) " : "",
			buf_str(&c[TEXT]));
	else
		buf_adds(out, buf_str(&c[TRANSPORT]));
}

static void
add_talk(struct buf *out, struct buf *c)
{
	struct buf who = { 0 };

	add_who(&who, c);
	if (is(c, "message"))
		buf_addf(out, "%s%s: %s", buf_str(&who),
			c[TO].len > 0 ? " to you" : "", buf_str(&c[TEXT]));
	else if (is(c, "online"))
		buf_addf(out, "* %s is online", buf_str(&who));
	else if (is(c, "offline"))
		buf_addf(out, "* %s is offline", buf_str(&who));
	else
		buf_addf(out, "* %s%s%s", buf_str(&who), who.len ? ": " : "",
			buf_str(&c[TEXT]));
	buf_free(&who);
}

size_t
event_line_hosts(const struct invocation *inv)
{
	size_t i, w, width = 0;

	for (i = 0; i < inv->hosts.n; i++)
		if ((w = text_width(inv->hosts.v[i].label)) > width)
			width = w;
	return width;
}

void
event_line_add(struct event_line *l, const char *host, const struct table *t,
	size_t row, struct buf *out)
{
	struct buf safe = { 0 }, who = { 0 };
	struct buf c[CELLS] = { 0 };
	size_t i;

	get_all(t, row, c);
	add_time(out, buf_str(&c[TIME]));
	text_safe(&safe, host, strlen(host));
	if (l->hosts) {
		text_pad(out, buf_str(&safe), l->host_width);
		buf_adds(out, "  ");
	}
	if (l->chat) {
		add_talk(out, c);
	} else {
		text_pad(out, buf_str(&c[EVENT]), EVENT_WIDTH);
		buf_adds(out, "  ");
		add_who(&who, c);
		add_column(out, buf_str(&who), &l->name_width);
		add_what(out, c);
	}
	buf_addc(out, '\n');
	buf_free(&safe);
	buf_free(&who);
	for (i = 0; i < CELLS; i++)
		buf_free(&c[i]);
}
