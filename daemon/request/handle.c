#include "request/handle.h"

#include "clock.h"
#include "request/penalize.h"
#include "request/request_log.h"
#include "request/run_queue.h"
#include "request/verb_handlers.h"

#include <stdio.h>
#include <string.h>

/*
 * Like exchange_finish(), but add a penalty to the source. If the source has
 * reached the rate limit of log lines, do not log or publish the request.
 */
static void
finish_and_penalize(struct exchange *x, enum penalty_cause cause, int code,
	const char *text, const char *rule)
{
	struct parent *p = x->parent;
	struct session *s = x->session;

	request_log_status(&x->reply, &x->log, code, text, rule);
	if (penalize_may_log(p, &s->source, logger_priority(code)))
		request_log_end(p, &x->log, code, text);
	penalize(p, s, cause);
	session_reply(p, s, PRIVSEP_REPLY, &x->reply);
}

/*
 * Store the client's name in the session and the log; the client may be NULL.
 * After a reload, the session may belong to another client. In that case, the
 * previous client goes offline.
 */
static void
set_client(struct exchange *x, const struct settings_client *c)
{
	struct session *s = x->session;

	x->log.verbs = c != NULL ? c->verbs.bits : 0;
	if (c != NULL)
		snprintf(x->log.client, sizeof(x->log.client), "%s", c->name);
	if (strcmp(s->name, x->log.client) != 0)
		session_set_online(x->parent, s, false);
	snprintf(s->name, sizeof(s->name), "%s", x->log.client);
}

/*
 * True for a `run` request whose command does not exist, or is forbidden for
 * the client. In both cases, the daemon does not know which arguments are
 * secret.
 */
static bool
is_hidden_run(const struct exchange *x)
{
	const struct request *r = x->request;
	const struct settings_client *c = x->verdict.client;
	const char *name = r->strings[REQUEST_NAME];

	return r->verb == VERB_RUN &&
	       (c == NULL || !policy_may_run(c, name) ||
		       settings_find_command(x->parent->settings, name) ==
			       NULL);
}

/*
 * Hide the request's secret arguments in the log. If the user's groups are
 * unknown, treat all arguments as secret.
 */
static void
hide_secrets(struct exchange *x)
{
	const struct settings_client *c = x->verdict.client;
	const struct settings *s = x->parent->settings;

	if (is_hidden_run(x) && (c == NULL || !c->secret)) {
		request_log_name(&x->log, x->request);
	} else if (policy_secret(s, c, x->request) ||
		   policy_needs_groups(s, &x->session->peer)) {
		x->log.secret = true;
		snprintf(x->log.args, sizeof(x->log.args), "(secret)");
	}
}

/*
 * True if no configured client matches the peer, even though the peer's groups
 * are known.
 */
static bool
is_stranger(const struct exchange *x)
{
	return x->verdict.client == NULL &&
	       !policy_needs_groups(x->parent->settings, &x->session->peer);
}

static enum penalty_cause
unknown_cause(const struct peer *peer)
{
	return peer->kind == PEER_KEY ? PENALTY_UNKNOWN_KEY : PENALTY_UNKNOWN;
}

static void
answer_request(struct exchange *x)
{
	struct parent *p = x->parent;
	struct verdict *v = &x->verdict;

	policy_decide(
		p->settings, &x->session->peer, x->request, clock_real_ms(), v);
	hide_secrets(x);
	x->log.verdict = v->code == CODE_OK ? LOGGER_ALLOWED : LOGGER_REFUSED;
	snprintf(x->log.rule, sizeof(x->log.rule), "%s", v->rule);
	x->session->known = v->client != NULL;
	set_client(x, v->client);
	if (x->session->known)
		session_set_online(p, x->session, true);
	if (v->code != CODE_OK) {
		if (v->code == CODE_NO_IDENTITY || v->code == CODE_NOT_ALLOWED)
			p->counters.denied++;
		if (is_stranger(x))
			finish_and_penalize(x, unknown_cause(&x->session->peer),
				v->code, v->reason, v->rule);
		else if (v->call.undecided)
			finish_and_penalize(x, PENALTY_MALFORMED, v->code,
				v->reason, v->rule);
		else
			exchange_finish(x, v->code, v->reason, v->rule);
	} else if (p->stopping && clock_ms() >= p->stop_grace) {
		exchange_finish(
			x, CODE_UNAVAILABLE, "the daemon is stopping", NULL);
	} else {
		verb_handler_run(x);
	}
}

bool
handle_request(
	struct parent *p, struct session *s, const struct privsep_inbound *q)
{
	struct exchange x = { .parent = p, .session = s };
	const struct settings_client *client;

	/*
	 * Count a request only once, because a queued request was counted when
	 * it arrived.
	 */
	p->counters.requests += s->turn == 0;
	s->requests += s->turn == 0;
	s->asked = clock_ms();
	if (q->kind == PRIVSEP_REQUEST)
		x.request = &q->request;
	request_log_begin(p, s, x.request, &x.log);
	if (x.request != NULL) {
		answer_request(&x);
	} else {
		p->counters.malformed++;
		x.log.verdict = LOGGER_MALFORMED;
		client = policy_client(p->settings, &s->peer);
		x.log.secret = client != NULL ? client->secret
					      : policy_needs_groups(
							p->settings, &s->peer);
		set_client(&x, client);
		finish_and_penalize(&x, PENALTY_MALFORMED, q->error.code,
			q->error.reason, NULL);
	}
	buf_free(&x.reply);
	return !x.waits;
}

void
handle_action_end(struct parent *p, struct action *a, const siginfo_t *si)
{
	struct buf status = { 0 };
	char text[256];
	int code = action_result(a, si, text, sizeof(text));

	/* Do not count the failure of an action whose client is gone. */
	if (code == CODE_FAILED && a->session != NULL &&
		!action_lost_reader(a, si))
		p->counters.failed++;
	a->log.acted = true;
	run_queue_note_end(a, si);
	request_log_end(p, &a->log, code, text);
	if (a->session != NULL) {
		request_log_status(&status, &a->log, code, text,
			a->log.verdict == LOGGER_REFUSED ? a->log.rule : NULL);
		a->session->action = NULL;
		session_reply(p, a->session, PRIVSEP_EXITED, &status);
		buf_free(&status);
	}
	p->nactions--;
	action_free(&p->actions, a);
}
