#include "tell.h"

#include "parent.h"
#include "watches.h"
#include "wire.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* One record, column by column; NULL for what does not apply. */
struct line {
	uint64_t number;
	unsigned kind;
	const char *name, *source, *transport, *request, *arguments, *verdict;
	int code; /* 0: none */
	const char *text, *id, *to;
};

static void
put(struct buf *out, const char *s)
{
	wire_puts(out, s != NULL ? s : "");
}

static void
write_line(const struct line *l, struct buf *out)
{
	wire_record(out);
	wire_putu(out, l->number);
	wire_putu(out, (unsigned long long)time(NULL));
	put(out, event_names[l->kind]);
	put(out, l->name);
	put(out, l->source);
	put(out, l->transport);
	put(out, l->request);
	put(out, l->arguments);
	put(out, l->verdict);
	if (l->code != 0)
		wire_putu(out, (unsigned)l->code);
	else
		put(out, NULL);
	put(out, l->text);
	put(out, l->id);
	put(out, l->to);
	wire_end(out);
}

/*
 * Records at most before they go out, so that none of a rush is forgotten
 * before that: the smallest history has room for twice as many.
 */
#define UNTOLD_MAX 8

/* It gets its number, is kept, and goes out with the others of this turn. */
static uint64_t
tell(struct parent *p, struct line *l)
{
	struct history_record record = { .kind = (enum event_kind)l->kind };
	struct buf out = { 0 };

	l->number = history_next(&p->history);
	record.number = l->number;
	snprintf(record.name, sizeof(record.name), "%s",
		l->name != NULL ? l->name : "");
	snprintf(
		record.to, sizeof(record.to), "%s", l->to != NULL ? l->to : "");
	write_line(l, &out);
	/* Without memory a number is left out, and nobody waits for it. */
	if (!out.failed)
		history_add(&p->history, &record, out.data, out.len);
	buf_free(&out);
	if (++p->untold >= UNTOLD_MAX)
		watches_flush(p);
	return l->number;
}

static void
tell_presence(struct parent *p, const struct session *s, unsigned kind)
{
	struct line l = {
		.kind = kind, .name = s->name, .transport = s->transport
	};
	struct buf source = { 0 };

	identity_print(&s->who, &source);
	l.source = buf_str(&source);
	tell(p, &l);
	buf_free(&source);
}

/* Whether another session of the same client is there for all to see. */
static bool
has_another(const struct parent *p, const struct session *s)
{
	const struct session *other;

	TAILQ_FOREACH (other, &p->sessions, entry)
		if (other != s && other->online &&
			strcmp(other->name, s->name) == 0 &&
			memcmp(&other->source, &s->source, sizeof(s->source)) ==
				0)
			return true;
	return false;
}

void
tell_online(struct parent *p, struct session *s)
{
	if (s->online)
		return;
	s->online = true;
	if (!has_another(p, s))
		tell_presence(p, s, EVENT_ONLINE);
}

void
tell_offline(struct parent *p, struct session *s)
{
	if (!s->online)
		return;
	s->online = false;
	if (!has_another(p, s))
		tell_presence(p, s, EVENT_OFFLINE);
}

/* A halt that will come, or that was withdrawn, is everybody's matter. */
static bool
is_about_halt(const struct audit_request *r, int code)
{
	return !r->explain &&
	       ((r->verb == VERB_HALT && code == CODE_ACCEPTED) ||
		       (r->verb == VERB_CANCEL && code == CODE_OK));
}

void
tell_request(struct parent *p, const struct audit_request *r, int code,
	const char *text)
{
	const struct verb *verb = r->verb ? verb_by_number(r->verb) : NULL;
	struct line l = { .kind = EVENT_REQUEST,
		.name = r->client,
		.source = r->source,
		.transport = r->transport,
		.arguments = r->args,
		.verdict = audit_verdict_names[r->verdict],
		.code = code,
		.text = r->secret ? wire_code_text(code) : text,
		.id = r->id };
	char name[32];

	audit_request(p->audit, r, code, l.text);
	/* The message itself has been told. */
	if (r->said && code == CODE_OK)
		return;
	snprintf(name, sizeof(name), "%s%s", r->explain ? "explain " : "",
		verb != NULL ? verb->name : "");
	l.request = name;
	tell(p, &l);
	if (is_about_halt(r, code)) {
		l.kind = EVENT_HALT;
		tell(p, &l);
	}
}

uint64_t
tell_message(struct parent *p, const struct session *s,
	const struct audit_request *r, const char *text, const char *to)
{
	struct line l = { .kind = EVENT_MESSAGE,
		.name = r->client,
		.source = r->source,
		.transport = s->transport,
		.text = text,
		.id = r->id,
		.to = to };

	return tell(p, &l);
}

void
tell_reload(struct parent *p, bool taken)
{
	struct line l = { .kind = EVENT_RELOAD,
		.text = taken ? "reloaded" : "not reloaded, see the log" };

	tell(p, &l);
}

void
tell_penalty(struct parent *p, const struct session *s, const char *source,
	unsigned seconds, const char *cause)
{
	struct line l = {
		.kind = EVENT_PENALTY, .name = s->name, .source = source
	};
	char text[80];

	snprintf(text, sizeof(text), "shut out for %u s: %s", seconds, cause);
	l.text = text;
	tell(p, &l);
}

void
tell_notice(
	const struct parent *p, const struct tell_notice *n, struct buf *out)
{
	struct line l = { .kind = n->kind,
		.number = n->number,
		.arguments = n->arguments,
		.text = n->text };
	char run[24];

	snprintf(run, sizeof(run), "%llx", (unsigned long long)p->run);
	l.id = run;
	write_line(&l, out);
}
