#include "watches.h"

#include "clock.h"
#include "parent.h"
#include "policy.h"
#include "tell.h"
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 60000     /* bytes of records in one message */
#define BATCHES 4       /* for one, before others get a turn */
#define DEAF_MAX 3      /* heartbeats */
#define STALLED_BEATS 3 /* that one has for what its client has not read */

static int64_t
beat_ms(const struct parent *p)
{
	return p->settings->limits.heartbeat_seconds * 1000LL;
}

/* Whether a record that is for one is for this one. */
static bool
is_addressed(const struct session *s, const char *to)
{
	struct buf source = { 0 };
	bool result;

	if (*to == '\0' || strcmp(s->name, to) == 0)
		return true;
	identity_print(&s->who, &source);
	result = strcmp(buf_str(&source), to) == 0;
	buf_free(&source);
	return result;
}

static bool
wants(const struct session *s, const struct history_record *r)
{
	const struct watch *w = s->watch;

	return (w->events & EVENT_BIT(r->kind)) != 0 &&
	       (w->name[0] == '\0' || strcmp(w->name, r->name) == 0) &&
	       is_addressed(s, r->to);
}

static void
put_notice(const struct parent *p, const struct session *s, unsigned kind,
	const char *arguments, const char *text, struct buf *out)
{
	struct tell_notice n = { .kind = kind,
		.number = s->watch->told,
		.arguments = arguments,
		.text = text };

	tell_notice(p, &n, out);
}

/*
 * Where it begins: now, or after a record that its client has seen. Appends
 * what of that is not known any more.
 */
static void
find_place(const struct parent *p, struct session *s, const char *since,
	struct buf *out)
{
	const struct history *h = &p->history;
	struct watch *w = s->watch;
	struct event_place place;
	char text[80];

	w->told = h->last;
	if (since == NULL || !events_place(since, &place))
		return;
	w->told = history_oldest(h) - 1;
	if (place.has_run && (place.run != p->run || place.number > h->last)) {
		put_notice(p, s, EVENT_MISSED, NULL,
			"the daemon was started anew: what was before that is "
			"not known",
			out);
	} else if (place.number >= w->told) {
		w->told = place.number < h->last ? place.number : h->last;
	} else {
		snprintf(text, sizeof(text), "%llu records are forgotten",
			(unsigned long long)(w->told - place.number));
		put_notice(p, s, EVENT_MISSED, NULL, text, out);
	}
}

static struct watch *
new_watch(const struct request *r, const struct buf *status)
{
	const char *events = r->strings[REQUEST_EVENTS];
	const char *name = r->strings[REQUEST_NAME];
	struct watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->events = EVENT_ALL;
	if (events != NULL)
		events_parse(events, &w->events);
	if (name != NULL)
		snprintf(w->name, sizeof(w->name), "%s", name);
	buf_add(&w->status, status->data, status->len);
	return w;
}

bool
watches_begin(struct parent *p, struct session *s, const struct request *r,
	const struct buf *status)
{
	struct buf out = { 0 }, gap = { 0 };
	char beat[40];

	if ((s->watch = new_watch(r, status)) == NULL)
		return false;
	p->nwatches++;
	s->state = SESSION_WATCHING;
	s->deadline = clock_ms() + beat_ms(p);
	find_place(p, s, r->strings[REQUEST_SINCE], &gap);
	snprintf(beat, sizeof(beat), "heartbeat=%u",
		p->settings->limits.heartbeat_seconds);
	wire_columns(&out, verb_watch_columns);
	put_notice(p, s, EVENT_WATCHING, beat, NULL, &out);
	buf_add(&out, gap.data, gap.len);
	if (out.failed || gap.failed || s->watch->status.failed ||
		ask_answer(s->ask, ASK_EVENTS, RELAY_LINES, out.data, out.len,
			-1) != 0)
		session_kill(p, s);
	buf_free(&out);
	buf_free(&gap);
	return true;
}

static void
drop(struct parent *p, struct session *s, const char *why)
{
	struct buf source = { 0 };

	identity_print(&s->who, &source);
	audit_log(p->audit, LOG_NOTICE,
		"session %d client=%s source=%s: its watch is dropped: %s",
		(int)s->pid, s->name, buf_str(&source), why);
	buf_free(&source);
}

static void
kill_deaf(struct parent *p, struct session *s)
{
	drop(p, s, "it does not keep up");
	session_kill(p, s);
}

void
watches_beat(struct parent *p, struct session *s)
{
	struct buf out = { 0 };

	put_notice(p, s, EVENT_HEARTBEAT, NULL, NULL, &out);
	if (!out.failed && ask_answer(s->ask, ASK_BEAT, RELAY_LINES, out.data,
				   out.len, -1) == 0)
		s->watch->deaf = 0;
	else if (errno != EAGAIN || ++s->watch->deaf >= DEAF_MAX)
		kill_deaf(p, s);
	buf_free(&out);
}

void
watches_tick(struct parent *p, struct session *s)
{
	s->deadline = clock_ms() + beat_ms(p);
	watches_beat(p, s);
}

void
watches_end(struct session *s)
{
	s->watch->ending = true;
}

void
watches_stalled(struct parent *p, struct session *s)
{
	drop(p, s, "its client does not read, or is gone");
	session_leaves(s);
	s->deadline = clock_ms() + STALLED_BEATS * beat_ms(p);
}

/* The next records for it that one message holds. Where it is then. */
static uint64_t
gather(const struct parent *p, const struct session *s, struct buf *out)
{
	const struct history *h = &p->history;
	const struct history_record *r;
	uint64_t n;

	for (n = s->watch->told; n < h->last; n++) {
		r = history_get(h, n + 1);
		if (!wants(s, r))
			continue;
		if (out->len > 0 && out->len + r->len > BATCH)
			break;
		buf_add(out, history_line(h, r), r->len);
	}
	return n;
}

static bool
is_behind(const struct parent *p, const struct session *s)
{
	return s->watch->told < p->history.last;
}

/* False if there is nothing left to send, or no room for it. */
static bool
send_some(struct parent *p, struct session *s, struct buf *out)
{
	uint64_t told;

	if (!is_behind(p, s))
		return false;
	if (s->watch->told + 1 < history_oldest(&p->history)) {
		kill_deaf(p, s);
		return false;
	}
	buf_reset(out);
	told = gather(p, s, out);
	if (out->failed)
		return false;
	if (out->len > 0 && ask_answer(s->ask, ASK_EVENTS, RELAY_LINES,
				    out->data, out->len, -1) != 0) {
		if (errno != EAGAIN)
			session_kill(p, s);
		return false;
	}
	s->watch->told = told;
	return true;
}

static void
flush_one(struct parent *p, struct session *s, struct buf *out)
{
	int i;

	for (i = 0; i < BATCHES && send_some(p, s, out); i++)
		;
	if (s->state != SESSION_WATCHING || !s->watch->ending ||
		is_behind(p, s))
		return;
	session_answer(p, s, ASK_ANSWER, &s->watch->status);
	watches_free(p, s);
}

void
watches_flush(struct parent *p)
{
	struct buf out = { 0 };
	struct session *s;

	p->untold = 0;
	if (p->nwatches == 0)
		return;
	TAILQ_FOREACH (s, &p->sessions, entry)
		if (s->state == SESSION_WATCHING)
			flush_one(p, s, &out);
	buf_free(&out);
}

bool
watches_waits(const struct parent *p, const struct session *s)
{
	return s->state == SESSION_WATCHING && is_behind(p, s);
}

unsigned
watches_reach(const struct parent *p, const char *from, const char *to)
{
	struct history_record message = { .kind = EVENT_MESSAGE };
	const struct session *s;
	unsigned n = 0;

	snprintf(message.name, sizeof(message.name), "%s", from);
	snprintf(message.to, sizeof(message.to), "%s", to);
	TAILQ_FOREACH (s, &p->sessions, entry)
		n += s->state == SESSION_WATCHING && !s->watch->ending &&
		     wants(s, &message);
	return n;
}

void
watches_review(struct parent *p)
{
	struct request watch;
	struct verdict v;
	struct session *s;

	request_init(&watch, VERB_WATCH);
	watches_flush(p);
	TAILQ_FOREACH (s, &p->sessions, entry) {
		if (s->state != SESSION_WATCHING)
			continue;
		policy_decide(p->settings, &s->who, &watch, &v);
		/* It comes again, and waits for its groups as all do. */
		if (policy_needs_groups(p->settings, &s->who))
			session_end(s, CODE_STOPPING,
				"the settings have changed: watch again");
		else if (v.code != CODE_OK)
			session_end(s, v.code, v.reason);
		else
			snprintf(
				s->name, sizeof(s->name), "%s", v.client->name);
	}
}

void
watches_free(struct parent *p, struct session *s)
{
	if (s->watch == NULL)
		return;
	p->nwatches--;
	buf_free(&s->watch->status);
	free(s->watch);
	s->watch = NULL;
}
