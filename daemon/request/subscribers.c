#include "request/subscribers.h"

#include "clock.h"
#include "events/event_publish.h"
#include "fd.h"
#include "policy/policy.h"
#include "request/state.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 60000 /* maximum number of bytes of records in one message */
#define BATCHES 4   /* maximum number of messages to a subscriber in one turn */
#define MISSED_MAX 3 /* unsent heartbeats after which a session is killed */
/* time for a session to end a stalled watch, in heartbeats */
#define STALLED_BEATS 3

static int64_t
heartbeat_ms(const struct parent *p)
{
	return p->settings->limits.heartbeat_seconds * 1000LL;
}

/*
 * True if this session must receive an event whose receiver is `to`. `to` is
 * the name of a client or a source, or "" for all sessions.
 */
static bool
is_addressed(const struct session *s, const char *to)
{
	return *to == '\0' || strcmp(s->name, to) == 0 ||
	       strcmp(peer_text(&s->peer), to) == 0;
}

static bool
is_subscribed(const struct session *s, const struct event_history_record *r)
{
	const struct subscriber *w = s->subscriber;

	return (w->events & EVENT_BIT(r->kind)) != 0 &&
	       (w->name[0] == '\0' || strcmp(w->name, r->name) == 0) &&
	       is_addressed(s, r->to);
}

static void
put_notice(const struct parent *p, const struct session *s,
	enum event_kind kind, const char *arguments, const char *text,
	struct buf *out)
{
	char run[24];
	struct event e = {
		.kind = kind, .arguments = arguments, .text = text, .id = run
	};

	snprintf(run, sizeof(run), "%llx", (unsigned long long)p->run);
	event_write(&e, s->subscriber->sent, out);
}

/*
 * Set the place in the history from which events are sent. The place is the end
 * of the history, or the place `since` that the client has seen. Append a
 * notice to `out` if events after that place are lost.
 */
static void
set_place(const struct parent *p, struct session *s, const char *since,
	struct buf *out)
{
	const struct history *h = &p->history;
	struct subscriber *w = s->subscriber;
	struct event_place place;
	char text[80];

	w->sent = h->last;
	if (since == NULL || !events_place(since, &place))
		return;
	w->sent = event_history_oldest(h) - 1;
	if (place.has_run && (place.run != p->run || place.number > h->last)) {
		put_notice(p, s, EVENT_MISSED, NULL,
			"the daemon has restarted: earlier records are lost",
			out);
	} else if (place.number >= w->sent) {
		w->sent = place.number < h->last ? place.number : h->last;
	} else {
		snprintf(text, sizeof(text), "%llu records are lost",
			(unsigned long long)(w->sent - place.number));
		put_notice(p, s, EVENT_MISSED, NULL, text, out);
	}
}

static struct subscriber *
new_subscriber(
	const struct request *r, const char *id, const struct buf *status)
{
	const char *events = r->strings[REQUEST_EVENTS];
	const char *name = r->strings[REQUEST_NAME];
	struct subscriber *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->events = EVENT_ALL;
	if (events != NULL)
		events_parse(events, &w->events);
	if (name != NULL)
		snprintf(w->name, sizeof(w->name), "%s", name);
	snprintf(w->id, sizeof(w->id), "%s", id);
	buf_add(&w->status, status->data, status->len);
	return w;
}

bool
subscribers_add(struct parent *p, struct session *s, const struct request *r,
	const char *id, const struct buf *status)
{
	struct buf out = { 0 }, gap = { 0 };
	char beat[40];

	if ((s->subscriber = new_subscriber(r, id, status)) == NULL)
		return false;
	p->nsubscribers++;
	s->state = SESSION_WATCHING;
	s->deadline = clock_ms() + heartbeat_ms(p);
	set_place(p, s, r->strings[REQUEST_SINCE], &gap);
	snprintf(beat, sizeof(beat), "heartbeat=%u",
		p->settings->limits.heartbeat_seconds);
	wire_columns(&out, verb_watch_columns);
	put_notice(p, s, EVENT_WATCHING, beat, NULL, &out);
	buf_add(&out, gap.data, gap.len);
	if (gap.failed || s->subscriber->status.failed ||
		session_send(s, PRIVSEP_EVENTS, &out) != 0)
		session_kill(p, s);
	buf_free(&out);
	buf_free(&gap);
	return true;
}

static void
log_drop(struct parent *p, struct session *s, const char *why)
{
	logger_log(p->logger, LOG_NOTICE,
		"session %d client=%s source=%s: watch ended: %s", (int)s->pid,
		s->name, peer_text(&s->peer), why);
}

/*
 * End the session with this status. Give the client time to read the pending
 * events and the status.
 */
static void
end_watch(struct parent *p, struct session *s, const char *text)
{
	session_end(s, CODE_TOO_SLOW, text, NULL);
	if (s->deadline > 0) /* session_end() has already sent the message */
		s->deadline = clock_ms() + STALLED_BEATS * heartbeat_ms(p);
}

/*
 * End the watch of a client that reads too slowly, if the channel has room for
 * the status. Otherwise, the next call ends the watch.
 */
static void
end_slow(struct parent *p, struct session *s)
{
	if (!s->subscriber->slow)
		log_drop(p, s, "the client reads too slowly");
	s->subscriber->slow = true;
	if (fd_wait(s->channel, POLLOUT, 0) == 0)
		end_watch(p, s,
			"the client reads too slowly: later records are lost; "
			"watch again");
}

static void
send_heartbeat(struct parent *p, struct session *s, enum privsep_kind kind)
{
	struct buf out = { 0 };

	put_notice(p, s, EVENT_HEARTBEAT, NULL, NULL, &out);
	if (session_send(s, kind, &out) == 0)
		s->subscriber->missed = 0;
	else if (errno != EAGAIN || ++s->subscriber->missed >= MISSED_MAX) {
		log_drop(p, s, "the session does not read");
		session_kill(p, s);
	}
	buf_free(&out);
}

void
subscribers_pong(struct parent *p, struct session *s)
{
	send_heartbeat(p, s, PRIVSEP_PONG);
}

void
subscribers_expire(struct parent *p, int64_t now)
{
	struct session *s;

	if (p->nsubscribers == 0)
		return;
	TAILQ_FOREACH (s, &p->sessions, entry)
		if (s->state == SESSION_WATCHING && now >= s->deadline) {
			s->deadline = now + heartbeat_ms(p);
			send_heartbeat(p, s, PRIVSEP_BEAT);
		}
}

void
subscribers_stalled(struct parent *p, struct session *s)
{
	log_drop(p, s, "the client does not read, or is gone");
	end_watch(p, s,
		"the client stopped reading or sending pings: later records "
		"are lost; watch again");
}

/*
 * Append the next records that fit into one message. Return the number of the
 * last record that was appended or skipped.
 */
static uint64_t
collect_records(
	const struct parent *p, const struct session *s, struct buf *out)
{
	const struct history *h = &p->history;
	const struct event_history_record *r;
	uint64_t n;

	for (n = s->subscriber->sent; n < h->last; n++) {
		r = event_history_get(h, n + 1);
		if (!is_subscribed(s, r))
			continue;
		if (out->len > 0 && out->len + r->len > BATCH)
			break;
		buf_add(out, event_history_line(h, r), r->len);
	}
	return n;
}

static bool
is_behind(const struct parent *p, const struct session *s)
{
	return s->subscriber->sent < p->history.last;
}

/*
 * Send one message with the next records. Return false if no record is left, or
 * the message cannot be sent.
 */
static bool
send_some(struct parent *p, struct session *s, struct buf *out)
{
	uint64_t sent;

	if (!is_behind(p, s))
		return false;
	if (s->subscriber->sent + 1 < event_history_oldest(&p->history)) {
		end_slow(p, s);
		return false;
	}
	buf_reset(out);
	sent = collect_records(p, s, out);
	if (out->failed)
		return false;
	if (out->len > 0 && session_send(s, PRIVSEP_EVENTS, out) != 0) {
		if (errno != EAGAIN)
			session_kill(p, s);
		return false;
	}
	s->subscriber->sent = sent;
	return true;
}

static void
flush_one(struct parent *p, struct session *s, struct buf *out)
{
	int i;

	for (i = 0; i < BATCHES && send_some(p, s, out); i++)
		;
	if (s->state != SESSION_WATCHING || !s->subscriber->ending ||
		is_behind(p, s))
		return;
	session_reply(p, s, PRIVSEP_REPLY, &s->subscriber->status);
	session_unsubscribe(p, s);
}

void
subscribers_flush(struct parent *p)
{
	struct buf out = { 0 };
	struct session *s;

	p->history.unsent = 0;
	if (p->nsubscribers == 0)
		return;
	TAILQ_FOREACH (s, &p->sessions, entry)
		if (s->state == SESSION_WATCHING)
			flush_one(p, s, &out);
	buf_free(&out);
}

bool
subscribers_pending(const struct parent *p, const struct session *s)
{
	return s->state == SESSION_WATCHING && is_behind(p, s);
}

unsigned
subscribers_reach(const struct parent *p, const char *from, const char *to)
{
	struct event_history_record message = { .kind = EVENT_MESSAGE };
	const struct session *s;
	unsigned n = 0;

	snprintf(message.name, sizeof(message.name), "%s", from);
	snprintf(message.to, sizeof(message.to), "%s", to);
	TAILQ_FOREACH (s, &p->sessions, entry)
		n += s->state == SESSION_WATCHING && !s->subscriber->ending &&
		     is_subscribed(s, &message);
	return n;
}

void
subscribers_review(struct parent *p)
{
	struct request subscriber;
	struct verdict v;
	struct session *s;
	int64_t now = clock_real_ms();

	request_init(&subscriber, VERB_WATCH);
	subscribers_flush(p);
	TAILQ_FOREACH (s, &p->sessions, entry) {
		if (s->state != SESSION_WATCHING)
			continue;
		policy_decide(p->settings, &s->peer, &subscriber, now, &v);
		/*
		 * Do not look up groups here. End the watch instead. When the
		 * client watches again, the daemon looks up the client's groups
		 * as usual.
		 */
		if (policy_needs_groups(p->settings, &s->peer))
			session_end(s, CODE_UNAVAILABLE,
				"the settings have changed: watch again", NULL);
		else if (v.code != CODE_OK)
			session_end(s, v.code, v.reason, v.rule);
		else
			snprintf(
				s->name, sizeof(s->name), "%s", v.client->name);
	}
}
