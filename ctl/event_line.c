#include "event_line.h"

#include "text.h"
#include "width.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EVENT_WIDTH 8
#define WIDTH_MAX 28 /* what is wider stands out */

/* A row's cells by name, each safe to show. */
struct cells {
	struct buf event, name, source, transport, request, arguments, code,
		text, to, time;
};

static void
get(const struct reply *r, size_t row, const char *column, struct buf *out)
{
	int i = reply_column(r, column);
	struct buf raw = { 0 };

	if (i >= 0) {
		reply_text(r, row, (size_t)i, &raw);
		text_safe(out, raw.data, raw.len);
	}
	buf_str(out);
	buf_free(&raw);
}

static void
get_all(const struct reply *r, size_t row, struct cells *c)
{
	memset(c, 0, sizeof(*c));
	get(r, row, "event", &c->event);
	get(r, row, "name", &c->name);
	get(r, row, "source", &c->source);
	get(r, row, "transport", &c->transport);
	get(r, row, "request", &c->request);
	get(r, row, "arguments", &c->arguments);
	get(r, row, "code", &c->code);
	get(r, row, "text", &c->text);
	get(r, row, "to", &c->to);
	get(r, row, "time", &c->time);
}

static void
free_all(struct cells *c)
{
	buf_free(&c->event);
	buf_free(&c->name);
	buf_free(&c->source);
	buf_free(&c->transport);
	buf_free(&c->request);
	buf_free(&c->arguments);
	buf_free(&c->code);
	buf_free(&c->text);
	buf_free(&c->to);
	buf_free(&c->time);
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

/* In a column as wide as the widest that it had, within reason. */
static void
add_column(struct buf *out, const char *s, size_t *width)
{
	size_t w = width_of(s);

	if (w > *width)
		*width = w < WIDTH_MAX ? w : WIDTH_MAX;
	width_pad(out, s, *width);
	buf_adds(out, "  ");
}

/* "alice (uid=1000)"; a daemon's own doings have neither. */
static void
add_who(struct buf *out, struct cells *c)
{
	buf_adds(out, c->name.len > 0 ? buf_str(&c->name) : "");
	if (c->source.len > 0)
		buf_addf(out, c->name.len > 0 ? " (%s)" : "%s",
			buf_str(&c->source));
}

/* "kill firefox signal=KILL: 200 1 signalled" */
static void
add_request(struct buf *out, struct cells *c)
{
	size_t i;

	buf_adds(out, buf_str(&c->request));
	for (i = 0; i < c->arguments.len; i++)
		if (c->arguments.data[i] == '#')
			c->arguments.data[i] = ' ';
	if (c->arguments.len > 0)
		buf_addf(out, " %s", buf_str(&c->arguments));
	buf_addf(out, ": %s %s", buf_str(&c->code), buf_str(&c->text));
}

static bool
is(struct cells *c, const char *event)
{
	return strcmp(buf_str(&c->event), event) == 0;
}

static void
add_what(struct buf *out, struct cells *c)
{
	if (is(c, "request"))
		add_request(out, c);
	else if (c->text.len > 0)
		buf_addf(out, "%s%s", c->to.len > 0 ? "(to you) " : "",
			buf_str(&c->text));
	else
		buf_adds(out, buf_str(&c->transport));
}

static void
add_talk(struct buf *out, struct cells *c)
{
	struct buf who = { 0 };

	add_who(&who, c);
	if (is(c, "message"))
		buf_addf(out, "%s%s: %s", buf_str(&who),
			c->to.len > 0 ? " to you" : "", buf_str(&c->text));
	else if (is(c, "online"))
		buf_addf(out, "* %s is here", buf_str(&who));
	else if (is(c, "offline"))
		buf_addf(out, "* %s has gone", buf_str(&who));
	else
		buf_addf(out, "* %s%s%s", buf_str(&who), who.len ? ": " : "",
			buf_str(&c->text));
	buf_free(&who);
}

size_t
event_line_hosts(const struct invocation *inv)
{
	size_t i, w, width = 0;

	for (i = 0; i < inv->hosts.n; i++)
		if ((w = width_of(inv->hosts.v[i].label)) > width)
			width = w;
	return width;
}

void
event_line_add(struct event_line *l, const char *host, const struct reply *r,
	size_t row, struct buf *out)
{
	struct buf safe = { 0 }, who = { 0 };
	struct cells c;

	get_all(r, row, &c);
	add_time(out, buf_str(&c.time));
	text_safe(&safe, host, strlen(host));
	if (l->hosts) {
		width_pad(out, buf_str(&safe), l->host_width);
		buf_adds(out, "  ");
	}
	if (l->chat) {
		add_talk(out, &c);
	} else {
		width_pad(out, buf_str(&c.event), EVENT_WIDTH);
		buf_adds(out, "  ");
		add_who(&who, &c);
		add_column(out, buf_str(&who), &l->name_width);
		add_what(out, &c);
	}
	buf_addc(out, '\n');
	buf_free(&safe);
	buf_free(&who);
	free_all(&c);
}
