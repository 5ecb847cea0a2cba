#include "cmd/commands.h"
#include "cmd/line_editor.h"
#include "fanout/watch_hosts.h"
#include "output/event_line.h"
#include "remote/call.h"
#include "text.h"
#include "util/message.h"
#include "util/sigint.h"
#include "util/text_width.h"
#include "util/write_out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENTS "online,offline,message,halt"
#define SAY_SECONDS 5
#define HELP                                                                 \
	"* /to NAME TEXT: send to NAME only   /who: who is here   /quit or " \
	"^D: end"

struct chat {
	const struct invocation *inv;
	struct event_line line;
	struct buf partial_line; /* incomplete line from stdin */
	bool edits;
	bool over;
	enum outcome outcome;
};

static int
print(const struct chat *c, const char *text)
{
	if (!c->edits)
		return write_out(STDOUT_FILENO, text, strlen(text));
	line_editor_print(text);
	return 0;
}

static void print_line(const struct chat *, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Print a line of bridlectl itself, not of another client. Escape unsafe
 * characters.
 */
static void
print_line(const struct chat *c, const char *fmt, ...)
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
show(void *context, const struct result *a)
{
	struct chat *c = context;
	struct buf out = { 0 };
	size_t row;
	int result;

	for (row = 0; row < a->reply.table.nrows; row++)
		event_line_add(
			&c->line, a->host->label, &a->reply.table, row, &out);
	result = print(c, buf_str(&out));
	buf_free(&out);
	return result;
}

/*
 * Send the request to a host. Return the code of the reply, or 0 if there is no
 * complete reply. Print a message unless the code is CODE_OK.
 */
static int
ask(struct chat *c, const struct host *host, const struct request *r,
	struct reply *reply)
{
	struct endpoint e = endpoint_of(c->inv, host);
	struct buf problem = { 0 };
	int result;

	e.timeout = SAY_SECONDS;
	if ((result = call_ask(&e, r, reply, &problem)) != 0)
		print_line(c, "* %s: %s", host->label, buf_str(&problem));
	else if (reply->code != CODE_OK)
		print_line(c, "* %s: %s (%d)", host->label, reply->said,
			reply->code);
	buf_free(&problem);
	return result == 0 ? reply->code : 0;
}

static void
send_message(struct chat *c, const char *text, const char *to)
{
	char problem[TEXT_PROBLEM_SIZE];
	struct request r;
	struct reply reply;
	bool all = true;
	size_t i;

	request_init(&r, VERB_SAY);
	r.strings[REQUEST_TEXT] = text;
	r.strings[REQUEST_TO] = to;
	if (!request_string_valid(REQUEST_TEXT, text) ||
		(to != NULL && !request_string_valid(REQUEST_TO, to))) {
		text_is_prose(text, strlen(text), problem);
		print_line(c,
			"* not sent: a message has at most %d printable "
			"bytes%s",
			REQUEST_TEXT_MAX, problem);
		c->outcome = OUTCOME_NO;
		return;
	}
	for (i = 0; i < c->inv->hosts.n; i++) {
		memset(&reply, 0, sizeof(reply));
		all &= ask(c, &c->inv->hosts.v[i], &r, &reply) == CODE_OK;
		reply_free(&reply);
	}
	/*
	 * bridlectl receives a message to all as an event, and prints the
	 * event. Therefore print only a private message here.
	 */
	if (all && to != NULL)
		print_line(c, "to %s: %s", to, text);
	if (!all)
		c->outcome = OUTCOME_NO;
}

static void
put_session(const struct chat *c, const struct table *t, size_t row)
{
	int name = table_column(t, "name"), source = table_column(t, "source");
	struct buf who = { 0 }, where = { 0 };

	if (name >= 0 && source >= 0)
		print_line(c, "* %s (%s)",
			table_text(t, row, (size_t)name, &who),
			table_text(t, row, (size_t)source, &where));
	buf_free(&who);
	buf_free(&where);
}

/*
 * Print the clients that watch events, because only these clients receive
 * messages.
 */
static void
list_subscribers(struct chat *c)
{
	struct buf watching = { 0 };
	struct request r;
	struct reply reply;
	size_t i, row;

	request_init(&r, VERB_WHO);
	for (i = 0; i < c->inv->hosts.n; i++) {
		memset(&reply, 0, sizeof(reply));
		ask(c, &c->inv->hosts.v[i], &r, &reply);
		for (row = 0; row < reply.table.nrows; row++)
			if (strcmp(table_named_text(&reply.table, row,
					   "watching", &watching),
				    "yes") == 0)
				put_session(c, &reply.table, row);
		reply_free(&reply);
	}
	buf_free(&watching);
}

/* Carry out the line "/to NAME TEXT". `rest` is the text after "/to ". */
static void
say_to(struct chat *c, const char *rest)
{
	size_t len = strcspn(rest, " ");
	char *to = strndup(rest, len);

	if (to == NULL || len == 0 || rest[len] == '\0')
		print_line(c, HELP);
	else
		send_message(c, rest + len + 1, to);
	free(to);
}

static void
take_line(void *context, const char *line)
{
	struct chat *c = context;

	/*
	 * Ignore spaces before the slash. Otherwise the line " /to NAME TEXT"
	 * would be sent to all.
	 */
	if (line != NULL)
		line += strspn(line, " \t");
	if (line == NULL || strcmp(line, "/quit") == 0)
		c->over = true;
	else if (strcmp(line, "/who") == 0)
		list_subscribers(c);
	else if (strncmp(line, "/to ", 4) == 0)
		say_to(c, line + 4);
	else if (line[0] == '/' && line[1] != '/')
		print_line(c, HELP);
	else if (line[0] != '\0')
		send_message(c, line[0] == '/' ? line + 1 : line, NULL);
}

static void
take_typed(struct chat *c)
{
	char *lf;

	while (!c->over && c->partial_line.len > 0 &&
		(lf = memchr(
			 c->partial_line.data, '\n', c->partial_line.len))) {
		*lf = '\0';
		take_line(c, c->partial_line.data);
		buf_drop(&c->partial_line,
			(size_t)(lf - c->partial_line.data) + 1);
	}
}

/*
 * Read lines from stdin without a line editor. The last line may lack its LF.
 */
static void
read_plain(struct chat *c)
{
	char *to = buf_room(&c->partial_line, 4096);
	ssize_t n = to ? read(STDIN_FILENO, to, 4096) : 0;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0)
		c->partial_line.len += (size_t)n;
	else if (c->partial_line.len > 0)
		buf_addc(&c->partial_line, '\n');
	take_typed(c);
	c->over |= n <= 0;
}

static void
take_input(struct chat *c, struct watch_hosts *f)
{
	struct pollfd keys = { STDIN_FILENO, POLLIN, 0 };

	c->edits = line_editor_open("> ", take_line, c);
	if (isatty(STDIN_FILENO))
		print_line(c, HELP);
	while (!c->over && watch_hosts_wait(f, &keys)) {
		if (keys.revents != 0 && c->edits)
			line_editor_read();
		else if (keys.revents != 0)
			read_plain(c);
	}
	line_editor_close();
	c->edits = false;
}

static enum outcome
run(const struct invocation *inv)
{
	struct chat c = { .inv = inv,
		.line = { .hosts = inv->several, .chat = true } };
	struct request watch = inv->request;
	struct watch_hosts f = {
		.inv = inv, .request = &watch, .show = show, .context = &c
	};
	enum outcome outcome;

	text_width_locale();
	c.line.host_width = event_line_hosts(inv);
	watch.strings[REQUEST_EVENTS] = EVENTS;
	if (watch_hosts_open(&f) == 0)
		take_input(&c, &f);
	outcome = watch_hosts_close(&f);
	buf_free(&c.partial_line);
	return c.over ? c.outcome : outcome;
}

const struct command cmd_chat = { .name = "chat",
	.args = "",
	.help = "exchange messages with other subscribers",
	.examples = "chat|until ^D; /to NAME TEXT: to NAME only\n"
		    "-H @lab chat|\n"
		    "chat < report|send the lines of a file\n",
	.options = OPT_WATCHING,
	.verb = VERB_WATCH,
	.run = run };
