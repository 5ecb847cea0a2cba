#include "questions.h"

#include "abuse.h"
#include "clock.h"
#include "parent.h"
#include "policy.h"
#include "requests.h"
#include "runs.h"
#include "watches.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* For later, in that state; false: there is no memory, and so no session. */
static bool
keep(struct parent *p, struct session *s, const struct ask_question *q,
	enum session_state state)
{
	struct ask_question *copy = malloc(sizeof(*copy));

	if (copy == NULL) {
		session_kill(p, s);
		return false;
	}
	*copy = *q;
	/* Its strings point into itself. */
	if (q->kind == ASK_REQUEST)
		ask_rebase(copy, q);
	s->question = copy;
	s->state = state;
	return true;
}

/* The caller's from now on: the session is as if it had just asked. */
static struct ask_question *
take(struct session *s)
{
	struct ask_question *q = s->question;

	s->question = NULL;
	s->state = s->known ? SESSION_IDLE : SESSION_NEW;
	return q;
}

/* Its turn comes, since every run before it has a deadline. */
static void
answer(struct parent *p, struct session *s, const struct ask_question *q)
{
	if (request_answer(p, s, q)) {
		s->turn = 0;
		return;
	}
	if (!keep(p, s, q, SESSION_QUEUED))
		return;
	s->deadline = CLOCK_NEVER;
	if (s->turn == 0)
		s->turn = ++p->last_turn;
	if (ask_answer(s->ask, ASK_WAIT, RELAY_LINES, NULL, 0, -1) != 0)
		session_kill(p, s);
}

/*
 * Answers the question at once, or keeps it until the groups are known. Where
 * they cannot be, the policy knows what to do with that.
 */
static void
consider(struct parent *p, struct session *s, const struct ask_question *q)
{
	int known = 1;

	if (policy_needs_groups(p->settings, &s->who))
		known = lookups_groups(&p->lookups, &s->who);
	if (known != 0)
		answer(p, s, q);
	else if (keep(p, s, q, SESSION_LOOKUP))
		s->deadline = clock_ms() +
			      p->settings->limits.request_seconds * 1000LL;
}

static void
consider_again(struct parent *p, struct session *s)
{
	struct ask_question *q = take(s);

	consider(p, s, q);
	free(q);
}

void
questions_resume(struct parent *p)
{
	struct session *s;

	TAILQ_FOREACH (s, &p->sessions, entry)
		if (s->state == SESSION_LOOKUP)
			consider_again(p, s);
}

/* One that is refused, after a reload say, makes way for the next. */
void
questions_advance(struct parent *p)
{
	struct session *s;
	bool moved;

	do {
		moved = false;
		TAILQ_FOREACH (s, &p->sessions, entry) {
			if (s->state != SESSION_QUEUED || !runs_is_next(p, s))
				continue;
			consider_again(p, s);
			moved = true;
		}
	} while (moved);
}

/* It has waited for its groups as long as a request may take. */
static void
answer_without_groups(struct parent *p, struct session *s)
{
	struct ask_question *q = take(s);

	answer(p, s, q);
	free(q);
}

static void
break_off(struct parent *p, struct session *s, const char *what)
{
	struct buf source = { 0 };

	if (abuse_line(p, &s->source, LOG_ERR)) {
		identity_print(&s->who, &source);
		audit_log(p->audit, LOG_ERR,
			"session %d source=%s broke the protocol: %s: killed",
			(int)s->pid, buf_str(&source), what);
		buf_free(&source);
	}
	/* It has a bug, or its client is in it: no better than a crash. */
	abuse_offence(p, s, PENALTY_CRASH);
	session_kill(p, s);
}

static void
hear_done(struct parent *p, struct session *s)
{
	if (s->state != SESSION_WRITING) {
		break_off(p, s, "done without an answer");
		return;
	}
	if (s->known) {
		s->state = SESSION_IDLE;
		s->deadline =
			clock_ms() + p->settings->limits.idle_seconds * 1000LL;
	} else {
		s->state = SESSION_NEW;
		s->deadline = s->login_deadline;
	}
	if (p->stopping)
		session_end(s, CODE_STOPPING, "the daemon is stopping");
}

/* An identity is set once, and only where the listener makes one possible. */
static void
hear_peer(struct parent *p, struct session *s, const struct ask_peer *peer)
{
	struct buf source = { 0 };

	s->peer_due = false;
	if (peer->result == HANDSHAKE_KEY) {
		identity_key(&s->who, peer->text);
		return;
	}
	identity_key(&s->who, NULL);
	if (peer->result == HANDSHAKE_NO_KEY)
		return;
	p->counters.handshakes++;
	if (abuse_line(p, &s->source, LOG_WARNING)) {
		identity_print(&s->who, &source);
		audit_log(p->audit, LOG_WARNING,
			"handshake failed source=%s: %s", buf_str(&source),
			peer->text);
		buf_free(&source);
	}
	abuse_offence(p, s, PENALTY_HANDSHAKE);
	session_leaves(s);
}

/* All that one may say who watches. */
static void
hear_watch(struct parent *p, struct session *s, const struct ask_question *q)
{
	if (s->watch->ending)
		break_off(p, s, "a question before its watch has ended");
	else if (q->kind == ASK_DONE)
		watches_end(s);
	else if (q->kind == ASK_STALLED)
		watches_stalled(p, s);
	else if (q->kind == ASK_REQUEST && q->request.verb == VERB_PING &&
		 !q->request.explain)
		watches_beat(p, s);
	else
		break_off(p, s, "a question in a watch");
}

/* It may have ended by itself, just before we heard. */
static void
hear_cut(struct parent *p, struct session *s, const struct ask_cut *cut)
{
	if (s->state == SESSION_ACTING && s->action->verb == VERB_RUN)
		action_end(s->action, (int)cut->code,
			cut->code == CODE_TOO_LONG
				? "its input is longer than it may be"
				: "its input was cut short");
	else if (s->state != SESSION_WRITING)
		break_off(p, s, "an input that nobody waits for");
}

void
questions_hear(struct parent *p, struct session *s)
{
	struct ask_question *q = &p->question;
	int result = ask_question(s->ask, q);

	if (result < 0) {
		if (errno == EPROTO)
			break_off(p, s, "not a message");
		else if (errno != EAGAIN)
			session_lose(p, s);
	} else if (result == 0) {
		session_lose(p, s);
	} else if (s->state == SESSION_ENDING) {
		return; /* it asked before it heard that it has to go */
	} else if (q->kind == ASK_CUT) {
		hear_cut(p, s, &q->cut);
	} else if (s->peer_due != (q->kind == ASK_PEER)) {
		break_off(p, s,
			s->peer_due ? "a question before its peer"
				    : "a peer that was not due");
	} else if (q->kind == ASK_PEER) {
		hear_peer(p, s, &q->peer);
	} else if (s->state == SESSION_WATCHING) {
		hear_watch(p, s, q);
	} else if (q->kind == ASK_STALLED) {
		break_off(p, s, "stalled without a watch");
	} else if (q->kind == ASK_DONE) {
		hear_done(p, s);
	} else if (s->state == SESSION_LOOKUP || s->state == SESSION_QUEUED ||
		   s->state == SESSION_ACTING) {
		break_off(p, s, "a question before the last was answered");
	} else if (!s->known && clock_ms() >= s->login_deadline) {
		p->counters.timeouts++;
		abuse_offence(p, s, PENALTY_TIMEOUT);
		session_end(s, CODE_TOO_SLOW, "nobody known came in time");
	} else {
		consider(p, s, q);
	}
}

void
questions_expire(struct parent *p, int64_t now)
{
	struct session *s;

	TAILQ_FOREACH (s, &p->sessions, entry)
		if (s->state == SESSION_LOOKUP && now >= s->deadline)
			answer_without_groups(p, s);
}
