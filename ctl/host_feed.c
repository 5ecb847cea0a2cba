#include "host_feed.h"

#include "call.h"
#include "clock.h"
#include "verbs.h"
#include "wire.h"
#include "worker.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MORE "more"
#define BATCH 500       /* records handed over at once, at most */
#define BEAT_DEFAULT 30 /* seconds, until the host has told */
#define BEAT_MAX 3600   /* that we believe a host */
#define BEATS 3         /* of silence, and it is gone */
#define PAUSE_FIRST 500 /* ms, doubled until */
#define PAUSE_MAX 30000
#define TABLE_MAX (4u << 20)

enum end { LOST, OVER };

struct feed {
	struct invocation *inv;
	struct answer *answer; /* what is to be handed over next */
	struct client client;
	struct buf columns; /* the line that names them */
	char run[40];       /* of the daemon; "": not known yet */
	char number[40];    /* of the last record */
	unsigned beat;      /* seconds */
	int64_t heard;
	int64_t ping; /* when the next one is due */
	bool watched; /* it was watching once */
	bool down;    /* and that this has ended was told */
};

bool
host_feed_goes_on(const struct answer *a)
{
	return a->problem.len == 0 && a->reply.code == CODE_OK &&
	       strcmp(a->reply.said, MORE) == 0;
}

static void
hand_over(struct feed *f)
{
	struct answer *a = f->answer;

	if (a->reply.nrows == 0 && a->notices.len == 0)
		return;
	if (reply_conclude(&a->reply, CODE_OK, MORE, NULL) != 0 ||
		!worker_send(a))
		_exit(0);
}

/* A line of the host's, of which the columns come first. */
static enum reply_state
take(struct feed *f, const char *line, size_t len)
{
	struct reply *r = &f->answer->reply;
	enum reply_state state = REPLY_BAD;
	struct buf copy = { 0 };

	buf_add(&copy, line, len);
	if (buf_room(&copy, 1) != NULL)
		state = reply_line(r, copy.data, len);
	else
		r->problem = "out of memory";
	buf_free(&copy);
	return state;
}

static enum reply_state
take_record(struct feed *f, const char *line, size_t len)
{
	struct reply *r = &f->answer->reply;

	if (f->columns.len == 0 || r->ncolumns > 0)
		return take(f, line, len);
	r->max_size = TABLE_MAX;
	return take(f, f->columns.data, f->columns.len) == REPLY_MORE
		       ? take(f, line, len)
		       : REPLY_BAD;
}

static void
put_value(struct buf *line, const char *column, const char *event,
	const char *text)
{
	if (strcmp(column, "time") == 0)
		wire_putu(line, (unsigned long long)time(NULL));
	else if (strcmp(column, "event") == 0)
		wire_puts(line, event);
	else if (strcmp(column, "text") == 0)
		wire_puts(line, text);
	else
		wire_puts(line, "");
}

/* A record that is ours, among those of the host or alone. */
static void
put(struct feed *f, const char *event, const char *text)
{
	const struct reply *r = &f->answer->reply;
	struct buf line = { 0 };
	size_t i;

	wire_record(&line);
	if (r->ncolumns > 0) {
		for (i = 0; i < r->ncolumns; i++)
			put_value(&line, r->columns[i], event, text);
	} else {
		buf_reset(&f->columns);
		wire_columns(&f->columns, verb_watch_columns);
		f->columns.len--; /* without its LF */
		for (i = 0; verb_watch_columns[i] != NULL; i++)
			put_value(&line, verb_watch_columns[i], event, text);
	}
	take_record(f, line.data, line.len);
	buf_free(&line);
}

static const char *
cell(const struct reply *r, const char *column, struct buf *out)
{
	int i = reply_column(r, column);

	return i < 0 ? "" : reply_text(r, r->nrows - 1, (size_t)i, out);
}

static void
note(const struct reply *r, const char *column, char *to, size_t size)
{
	struct buf value = { 0 };

	snprintf(to, size, "%s", cell(r, column, &value));
	buf_free(&value);
}

static void
begin(struct feed *f, struct reply *r)
{
	char beat[64];
	unsigned n;

	note(r, "id", f->run, sizeof(f->run));
	note(r, "arguments", beat, sizeof(beat));
	if (sscanf(beat, "heartbeat=%u", &n) == 1 && n > 0 && n <= BEAT_MAX)
		f->beat = n;
	f->ping = clock_ms() + f->beat * 1000LL;
	r->nrows--;
	if (f->down)
		put(f, "back", "it answers again");
	f->watched = true;
	f->down = false;
}

/* What the last record says to us; not all of them are passed on. */
static void
look(struct feed *f)
{
	struct reply *r = &f->answer->reply;
	char event[32];

	if (r->nrows == 0)
		return;
	note(r, "event", event, sizeof(event));
	note(r, "number", f->number, sizeof(f->number));
	if (strcmp(event, "heartbeat") == 0)
		r->nrows--;
	else if (strcmp(event, "watching") == 0)
		begin(f, r);
	if (r->nrows >= BATCH)
		hand_over(f);
}

static int
reach(struct feed *f)
{
	struct request request = f->inv->request;
	struct buf line = { 0 };
	char since[96];
	int result;

	if (f->run[0] != '\0') {
		snprintf(since, sizeof(since), "%s-%s", f->run, f->number);
		request.strings[REQUEST_SINCE] = since;
	}
	request_format(&request, &line);
	buf_addc(&line, '\n');
	result = call_open(&f->client, f->inv, buf_str(&line), line.len);
	buf_free(&line);
	buf_reset(&f->columns);
	f->heard = clock_ms();
	f->ping = INT64_MAX;
	return result;
}

/* One line that has come: REPLY_DONE with the host's last word. */
static enum reply_state
hear(struct feed *f, const char *line, size_t len)
{
	enum reply_state state = take_record(f, line, len);

	f->heard = clock_ms();
	if (state == REPLY_MORE && f->columns.len == 0)
		buf_add(&f->columns, line, len);
	else if (state == REPLY_MORE)
		look(f);
	else if (state == REPLY_BAD)
		call_garbled(&f->client, f->answer->reply.problem);
	return state;
}

/* Whether it is not there any more. */
static bool
is_gone(struct feed *f)
{
	buf_reset(&f->client.problem);
	if (clock_ms() < f->heard + BEATS * f->beat * 1000LL)
		return false;
	buf_addf(&f->client.problem, "no sign of life for %u s",
		BEATS * f->beat);
	return true;
}

static void
send_ping(struct feed *f)
{
	if (clock_ms() < f->ping)
		return;
	client_send(&f->client, "1#4\n", 4);
	f->ping = clock_ms() + f->beat * 1000LL;
}

static int64_t
next_time(const struct feed *f)
{
	int64_t gone = f->heard + BEATS * f->beat * 1000LL;

	return f->ping < gone ? f->ping : gone;
}

/* Until the connection is lost, with client.problem, or the watch is over. */
static enum end
listen_to(struct feed *f)
{
	enum reply_state state = REPLY_MORE;
	char *line;
	size_t len;
	int got;

	while (state == REPLY_MORE) {
		if (!client_has_line(&f->client))
			hand_over(f);
		send_ping(f);
		client_until(&f->client, next_time(f));
		got = client_line(&f->client, &line, &len);
		if (got == 1)
			state = hear(f, line, len);
		else if (got == 0)
			call_cut(&f->client);
		if (got == 0 || (got < 0 && !client_late(&f->client)) ||
			(got < 0 && is_gone(f)))
			return LOST;
	}
	return state == REPLY_DONE ? OVER : LOST;
}

/* A stop, or that we were too slow, is no reason to stay away. */
static bool
may_try_again(const struct feed *f)
{
	int code = f->answer->reply.code;

	return f->watched && (code == CODE_STOPPING || code == CODE_TOO_SLOW ||
				     code == CODE_TOO_MANY);
}

static void
tell_lost(struct feed *f, const char *why)
{
	struct buf text = { 0 };

	buf_addf(&text, "%.*s; trying again", (int)strcspn(why, "\n"), why);
	hand_over(f);
	reply_free(&f->answer->reply);
	if (!f->down)
		put(f, "lost", buf_str(&text));
	f->down = true;
	hand_over(f);
	buf_free(&text);
}

void
host_feed_run(struct invocation *inv, struct answer *a, const void *unused)
{
	struct feed f = { .inv = inv, .answer = a, .beat = BEAT_DEFAULT };
	int pause = PAUSE_FIRST;
	enum end end;

	(void)unused;
	for (;;) {
		end = LOST;
		if (reach(&f) == 0) {
			end = listen_to(&f);
			if (f.watched && !f.down)
				pause = PAUSE_FIRST;
		}
		if (end == OVER && !may_try_again(&f)) {
			a->fate = fate_of(a->reply.code);
			break;
		}
		if (end == LOST && !f.watched && inv->hosts.n == 1) {
			answer_fail(
				a, FATE_UNREACHED, buf_str(&f.client.problem));
			break;
		}
		tell_lost(&f, end == OVER ? a->reply.said
					  : buf_str(&f.client.problem));
		client_close(&f.client, false);
		poll(NULL, 0, pause);
		pause = pause * 2 < PAUSE_MAX ? pause * 2 : PAUSE_MAX;
	}
	client_close(&f.client, true);
	buf_free(&f.columns);
}
