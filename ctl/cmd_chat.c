#include "call.h"
#include "command.h"
#include "event_line.h"
#include "feeds.h"
#include "interrupt.h"
#include "line_editor.h"
#include "notice.h"
#include "output.h"
#include "text.h"
#include "width.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENTS "online,offline,message,halt"
#define SAY_SECONDS 5
#define HELP "* /to NAME TEXT  to one alone   /who  who is here   /quit or ^D"

struct chat {
	struct invocation *inv;
	struct event_line line;
	struct buf typed; /* without an editor: a line that was begun */
	bool edits;
	bool over;
	enum outcome outcome;
};

static int
print(const struct chat *c, const char *text)
{
	if (!c->edits)
		return output_write(STDOUT_FILENO, text, strlen(text));
	line_editor_print(text);
	return 0;
}

static void put(const struct chat *, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A line of our own, made safe. */
static void
put(const struct chat *c, const char *fmt, ...)
{
	struct buf raw = { 0 }, safe = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&raw, fmt, ap);
	va_end(ap);
	text_safe(&safe, raw.data, raw.len);
	buf_addc(&safe, '\n');
	print(c, buf_str(&safe));
	buf_free(&raw);
	buf_free(&safe);
}

static int
show(void *context, const struct answer *a)
{
	struct chat *c = context;
	struct buf out = { 0 };
	size_t row;
	int result;

	for (row = 0; row < a->reply.nrows; row++)
		event_line_add(&c->line, a->host->label, &a->reply, row, &out);
	result = print(c, buf_str(&out));
	buf_free(&out);
	return result;
}

/* What a host has answered; 0 if it did not. */
static int
ask(struct chat *c, const struct host *host, const struct request *r,
	struct reply *reply)
{
	struct buf problem = { 0 };
	int result;

	invocation_turn(c->inv, host);
	c->inv->timeout = SAY_SECONDS;
	if ((result = call_ask(c->inv, r, reply, &problem)) != 0)
		put(c, "* %s: %s", host->label, buf_str(&problem));
	else if (reply->code != CODE_OK)
		put(c, "* %s: %s (%d)", host->label, reply->said, reply->code);
	buf_free(&problem);
	return result == 0 ? reply->code : 0;
}

static void
say(struct chat *c, const char *text, const char *to)
{
	struct request r;
	struct reply reply;
	bool all = true;
	size_t i;

	request_init(&r, VERB_SAY);
	r.strings[REQUEST_TEXT] = text;
	r.strings[REQUEST_TO] = to;
	if (!request_text_valid(text) ||
		(to != NULL && !request_string_valid(REQUEST_TO, to))) {
		put(c, "* not said: at most %d printable bytes",
			REQUEST_TEXT_MAX);
		c->outcome = OUTCOME_NO;
		return;
	}
	for (i = 0; i < c->inv->hosts.n; i++) {
		memset(&reply, 0, sizeof(reply));
		all &= ask(c, &c->inv->hosts.v[i], &r, &reply) == CODE_OK;
		reply_free(&reply);
	}
	/* What is for all comes back with what others say. */
	if (all && to != NULL)
		put(c, "to %s: %s", to, text);
	if (!all)
		c->outcome = OUTCOME_NO;
}

static void
put_session(const struct chat *c, const struct reply *r, size_t row)
{
	int name = reply_column(r, "name"), source = reply_column(r, "source");
	struct buf who = { 0 }, where = { 0 };

	if (name >= 0 && source >= 0)
		put(c, "* %s (%s)", reply_text(r, row, (size_t)name, &who),
			reply_text(r, row, (size_t)source, &where));
	buf_free(&who);
	buf_free(&where);
}

/* Those who watch are those who hear. */
static void
who(struct chat *c)
{
	struct buf watching = { 0 };
	struct request r;
	struct reply reply;
	size_t i, row;
	int column;

	request_init(&r, VERB_WHO);
	for (i = 0; i < c->inv->hosts.n; i++) {
		memset(&reply, 0, sizeof(reply));
		ask(c, &c->inv->hosts.v[i], &r, &reply);
		column = reply_column(&reply, "watching");
		for (row = 0; column >= 0 && row < reply.nrows; row++)
			if (strcmp(reply_text(&reply, row, (size_t)column,
					   &watching),
				    "yes") == 0)
				put_session(c, &reply, row);
		reply_free(&reply);
	}
	buf_free(&watching);
}

/* "/to NAME TEXT" */
static void
say_to(struct chat *c, const char *rest)
{
	size_t len = strcspn(rest, " ");
	char *to = strndup(rest, len);

	if (to == NULL || len == 0 || rest[len] == '\0')
		put(c, HELP);
	else
		say(c, rest + len + 1, to);
	free(to);
}

static void
take_line(void *context, const char *line)
{
	struct chat *c = context;

	/* A slip of the thumb must not tell all what was for one. */
	if (line != NULL)
		line += strspn(line, " \t");
	if (line == NULL || strcmp(line, "/quit") == 0)
		c->over = true;
	else if (strcmp(line, "/who") == 0)
		who(c);
	else if (strncmp(line, "/to ", 4) == 0)
		say_to(c, line + 4);
	else if (line[0] == '/' && line[1] != '/')
		put(c, HELP);
	else if (line[0] != '\0')
		say(c, line[0] == '/' ? line + 1 : line, NULL);
}

static void
take_typed(struct chat *c)
{
	char *lf;

	while (!c->over && c->typed.len > 0 &&
		(lf = memchr(c->typed.data, '\n', c->typed.len))) {
		*lf = '\0';
		take_line(c, c->typed.data);
		buf_drop(&c->typed, (size_t)(lf - c->typed.data) + 1);
	}
}

/* Plain lines; what follows the last LF is one, too. */
static void
read_plain(struct chat *c)
{
	char *to = buf_room(&c->typed, 4096);
	ssize_t n = to ? read(STDIN_FILENO, to, 4096) : 0;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0)
		c->typed.len += (size_t)n;
	else if (c->typed.len > 0)
		buf_addc(&c->typed, '\n');
	take_typed(c);
	c->over |= n <= 0;
}

static void
talk(struct chat *c, struct feeds *f)
{
	struct pollfd keys = { STDIN_FILENO, POLLIN, 0 };

	c->edits = line_editor_open("> ", take_line, c);
	if (isatty(STDIN_FILENO))
		put(c, HELP);
	while (!c->over && feeds_wait(f, &keys, INT64_MAX)) {
		if (keys.revents != 0 && c->edits)
			line_editor_read();
		else if (keys.revents != 0)
			read_plain(c);
	}
	line_editor_close();
	c->edits = false;
}

enum outcome
cmd_chat(struct invocation *inv)
{
	struct chat c = { .inv = inv,
		.line = { .hosts = inv->several, .chat = true } };
	struct feeds f = { .inv = inv, .take = show, .context = &c };
	enum outcome outcome;

	width_locale();
	c.line.host_width = event_line_hosts(inv);
	if (inv->request.strings[REQUEST_EVENTS] == NULL)
		inv->request.strings[REQUEST_EVENTS] = EVENTS;
	if (feeds_open(&f) == 0)
		talk(&c, &f);
	outcome = feeds_close(&f);
	buf_free(&c.typed);
	return c.over ? c.outcome : outcome;
}
