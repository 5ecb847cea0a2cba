#include "request/dispatch.h"

#include "clock.h"
#include "policy/policy.h"
#include "request/handle.h"
#include "request/penalize.h"
#include "request/run_queue.h"
#include "request/state.h"
#include "request/subscribers.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Store a copy of the message in the session for later, and set the state. If
 * memory has run out, kill the session and return false.
 */
static bool
hold(struct parent *p, struct session *s, const struct privsep_inbound *q,
	enum session_state state)
{
	struct privsep_inbound *copy = malloc(sizeof(*copy));

	if (copy == NULL) {
		session_kill(p, s);
		return false;
	}
	*copy = *q;
	/*
	 * The strings of the request point into the message, so adjust the
	 * pointers in the copy.
	 */
	if (q->kind == PRIVSEP_REQUEST)
		privsep_rebase(copy, q);
	s->held = copy;
	s->state = state;
	return true;
}

/*
 * Handle a request, or queue the request if it must wait for earlier runs of
 * its command. A queued request needs no deadline, because each earlier run has
 * a deadline.
 */
static void
handle(struct parent *p, struct session *s, const struct privsep_inbound *q)
{
	if (handle_request(p, s, q)) {
		s->turn = 0;
		return;
	}
	if (!hold(p, s, q, SESSION_QUEUED))
		return;
	s->deadline = CLOCK_NEVER;
	if (s->turn == 0)
		s->turn = ++p->last_turn;
	if (privsep_reply(s->channel, PRIVSEP_WAIT, RELAY_LINES, NULL, 0, -1) !=
		0)
		session_kill(p, s);
}

/*
 * Handle a request immediately if the policy needs no groups, or the groups are
 * known. Otherwise hold the request until the look-up ends. If the look-up
 * fails, the policy treats the groups as unknown.
 */
static void
handle_with_groups(
	struct parent *p, struct session *s, const struct privsep_inbound *q)
{
	int known = 1;

	if (policy_needs_groups(p->settings, &s->peer))
		known = group_lookups_find(&p->group_lookups, &s->peer);
	if (known != 0)
		handle(p, s, q);
	else if (hold(p, s, q, SESSION_LOOKUP))
		s->deadline = clock_ms() +
			      p->settings->limits.request_seconds * 1000LL;
}

static void
handle_held(struct parent *p, struct session *s,
	void (*how)(struct parent *, struct session *,
		const struct privsep_inbound *))
{
	struct privsep_inbound *q = s->held;

	s->held = NULL;
	s->state = s->known ? SESSION_IDLE : SESSION_NEW;
	how(p, s, q);
	free(q);
}

void
dispatch_resume(struct parent *p)
{
	struct session *s;

	TAILQ_FOREACH (s, &p->sessions, entry)
		if (s->state == SESSION_LOOKUP)
			handle_held(p, s, handle_with_groups);
}

/*
 * After a reload, the policy may refuse a queued request. In that case, the
 * next queued request may start, so search again.
 */
void
dispatch_advance(struct parent *p)
{
	struct session *s;
	bool moved;

	do {
		moved = false;
		TAILQ_FOREACH (s, &p->sessions, entry) {
			if (s->state != SESSION_QUEUED ||
				!run_queue_is_next(p, s))
				continue;
			handle_held(p, s, handle_with_groups);
			moved = true;
		}
	} while (moved);
}

static void
end_breach(struct parent *p, struct session *s, const char *what)
{
	if (penalize_may_log(p, &s->source, LOG_ERR))
		logger_log(p->logger, LOG_ERR,
			"session %d source=%s broke the protocol: %s: killed",
			(int)s->pid, peer_text(&s->peer), what);
	/*
	 * The session has a bug, or a client controls the session. The source
	 * gets the same penalty as for a crash.
	 */
	penalize(p, s, PENALTY_CRASH);
	session_kill(p, s);
}

/*
 * Handle PRIVSEP_DONE. Normally, the session has written its reply. During a
 * watch, another request has ended the watch, and the status of the watch
 * follows after the last event.
 */
static void
receive_done(struct parent *p, struct session *s)
{
	if (s->state == SESSION_WATCHING) {
		s->subscriber->ending = true;
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
		session_end(
			s, CODE_UNAVAILABLE, "the daemon is stopping", NULL);
}

/*
 * Handle PRIVSEP_BEGUN: the client has sent a part of a line. The rest of the
 * line must arrive within login_seconds.
 */
static void
receive_begun(struct parent *p, struct session *s)
{
	if (s->state == SESSION_WRITING)
		receive_done(p, s);
	s->begun = true;
	s->deadline = clock_earlier(s->deadline,
		clock_ms() + p->settings->limits.login_seconds * 1000LL);
}

/*
 * Handle the result of a TLS handshake, which a session reports once. Store the
 * client's key, or end the session if the handshake has failed.
 */
static void
receive_peer(struct parent *p, struct session *s)
{
	const struct privsep_peer *peer = &p->message.peer;

	s->peer_due = false;
	if (peer->result == PRIVSEP_HANDSHAKE_KEY) {
		peer_key(&s->peer, peer->text);
		return;
	}
	peer_key(&s->peer, NULL);
	if (peer->result == PRIVSEP_HANDSHAKE_NO_KEY)
		return;
	p->counters.handshakes++;
	if (penalize_may_log(p, &s->source, LOG_WARNING))
		logger_log(p->logger, LOG_WARNING,
			"handshake failed source=%s: %s", peer_text(&s->peer),
			peer->text);
	/*
	 * A client that does not know the host key disconnects. Give no penalty
	 * for this disconnect.
	 */
	if (peer->result != PRIVSEP_HANDSHAKE_LEFT)
		penalize(p, s, PENALTY_HANDSHAKE);
	session_leaves(s);
}

/*
 * End the run of a command, because the input of the run is incomplete or too
 * long. If the run has already ended, do nothing.
 */
static void
receive_cut(struct parent *p, struct session *s)
{
	int code = (int)p->message.cut.code;

	if (s->state == SESSION_WRITING)
		return;
	if (s->action->verb != VERB_RUN)
		end_breach(p, s, "input without a run");
	else
		action_end(s->action, code,
			code == CODE_TOO_LONG
				? "its input is longer than max_input"
				: "its input was cut short");
}

static void
receive_heartbeat(struct parent *p, struct session *s)
{
	const struct request *r = &p->message.request;

	if (r->verb == VERB_PING && !r->explain)
		subscribers_pong(p, s);
	else
		end_breach(p, s, "a request during a watch");
}

/* Do nothing. dispatch_receive() renews the CPU time after each message. */
static void
receive_alive(struct parent *p, struct session *s)
{
	(void)p;
	(void)s;
}

static void
receive_request(struct parent *p, struct session *s)
{
	s->begun = false;
	if (s->known || clock_ms() < s->login_deadline) {
		handle_with_groups(p, s, &p->message);
		return;
	}
	p->counters.timeouts++;
	penalize(p, s, PENALTY_TIMEOUT);
	session_end(
		s, CODE_TOO_SLOW, "no request of a known client in time", NULL);
}

#define NEW (1u << SESSION_NEW)
#define IDLE (1u << SESSION_IDLE)
#define ACTING (1u << SESSION_ACTING)
#define WATCHING (1u << SESSION_WATCHING)
#define WRITING (1u << SESSION_WRITING)
#define ANY ~0u

/*
 * The messages that a session is allowed to send in each state. Any other
 * message breaks the protocol.
 */
static const struct rule {
	enum privsep_kind kind;
	unsigned states;
	void (*receive)(struct parent *, struct session *);
} rules[] = {
	{ PRIVSEP_PEER, ANY, receive_peer },
	{ PRIVSEP_REQUEST, NEW | IDLE | WRITING, receive_request },
	{ PRIVSEP_MALFORMED, NEW | IDLE | WRITING, receive_request },
	{ PRIVSEP_REQUEST, WATCHING, receive_heartbeat },
	{ PRIVSEP_DONE, WRITING | WATCHING, receive_done },
	{ PRIVSEP_BEGUN, NEW | IDLE | WRITING, receive_begun },
	{ PRIVSEP_STALLED, WATCHING, subscribers_stalled },
	{ PRIVSEP_CUT, ACTING | WRITING, receive_cut },
	{ PRIVSEP_ALIVE, ACTING | WATCHING | WRITING, receive_alive },
};

static const struct rule *
find_rule(const struct parent *p, const struct session *s)
{
	const struct rule *r;

	for (r = rules; r < rules + sizeof(rules) / sizeof(rules[0]); r++)
		if (r->kind == p->message.kind && r->states >> s->state & 1)
			return r;
	return NULL;
}

/* Return a text that says how a message without a rule breaks the protocol. */
static const char *
breach_text(enum session_state state, enum privsep_kind kind)
{
	if (kind == PRIVSEP_CUT)
		return "input without a run";
	if (state == SESSION_WATCHING)
		return "a request during a watch";
	if (kind == PRIVSEP_STALLED)
		return "stalled without a watch";
	if (kind == PRIVSEP_DONE)
		return "done without a reply";
	return "a request before the last reply";
}

static void
receive(struct parent *p, struct session *s)
{
	enum privsep_kind kind = p->message.kind;
	const struct rule *rule = find_rule(p, s);

	if (s->state == SESSION_ENDING)
		/*
		 * ignore a message that the session sent before the session
		 * knew that it must end
		 */
		return;
	if (s->peer_due && kind != PRIVSEP_PEER && kind != PRIVSEP_CUT)
		end_breach(p, s, "a message before its peer");
	else if (!s->peer_due && kind == PRIVSEP_PEER)
		end_breach(p, s, "an unexpected peer");
	else if (s->state == SESSION_WATCHING && s->subscriber->ending &&
		 kind != PRIVSEP_CUT && kind != PRIVSEP_ALIVE)
		end_breach(p, s, "a message during a watch");
	else if (rule == NULL)
		end_breach(p, s, breach_text(s->state, kind));
	else
		rule->receive(p, s);
}

void
dispatch_receive(struct parent *p, struct session *s)
{
	int result = privsep_inbound(s->channel, &p->message);

	session_has_client(s);
	if (result > 0) {
		if (s->rate != NULL)
			request_rate_count(s->rate, clock_ms());
		session_renew_cpu(s);
		receive(p, s);
	} else if (result < 0 && errno == EPROTO)
		end_breach(p, s, "not a message");
	else if (result == 0 || errno != EAGAIN)
		session_lose(p, s);
}

void
dispatch_expire(struct parent *p, int64_t now)
{
	struct session *s;

	TAILQ_FOREACH (s, &p->sessions, entry)
		if (s->state == SESSION_LOOKUP && now >= s->deadline)
			handle_held(p, s, handle);
}
