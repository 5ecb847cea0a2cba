#include "requests.h"

#include "abuse.h"
#include "answers.h"
#include "clock.h"
#include "request_log.h"
#include "runs.h"
#include "tell.h"

#include <stdio.h>
#include <string.h>

/* The same for what no client in order asks: it costs, and may go unlogged. */
static void
finish_offence(struct job *j, enum penalty_cause cause, int code,
	const char *text, const char *rule)
{
	struct parent *p = j->parent;
	struct session *s = j->session;

	request_log_status(&j->answer, &j->log, code, text, rule);
	if (abuse_line(p, &s->source, audit_priority(code)))
		tell_request(p, &j->log, code, text);
	abuse_offence(p, s, cause);
	session_answer(p, s, ASK_ANSWER, &j->answer);
}

/* After a reload it may be another: then who was there has left. */
static void
set_client(struct job *j, const struct settings_client *c)
{
	struct session *s = j->session;

	if (c != NULL)
		snprintf(j->log.client, sizeof(j->log.client), "%s", c->name);
	if (strcmp(s->name, j->log.client) != 0)
		tell_offline(j->parent, s);
	snprintf(s->name, sizeof(s->name), "%s", j->log.client);
}

/*
 * Whether who asks may not even know whether there is such a command, or there
 * is none: then nobody can say whether its arguments are secret.
 */
static bool
is_hidden_run(const struct job *j)
{
	const struct request *r = j->request;
	const struct settings_client *c = j->verdict.client;
	const char *name = r->strings[REQUEST_NAME];

	return r->verb == VERB_RUN &&
	       (c == NULL || !policy_may_run(c, name) ||
		       command_find(j->parent->settings, name) == NULL);
}

/*
 * What nobody is to see; where it is not known who asks, since his groups
 * cannot be, it may be that.
 */
static void
hide(struct job *j)
{
	const struct settings_client *c = j->verdict.client;
	const struct settings *s = j->parent->settings;

	if (is_hidden_run(j) && (c == NULL || !c->secret)) {
		request_log_name(&j->log, j->request);
	} else if (policy_secret(s, c, j->request) ||
		   policy_needs_groups(s, &j->session->who)) {
		j->log.secret = true;
		snprintf(j->log.args, sizeof(j->log.args), "(secret)");
	}
}

/* It is not his fault where his groups could not be asked for. */
static bool
is_stranger(const struct job *j)
{
	return j->verdict.client == NULL &&
	       !policy_needs_groups(j->parent->settings, &j->session->who);
}

static enum penalty_cause
unknown_cause(const struct identity *who)
{
	return who->kind == IDENTITY_KEY ? PENALTY_UNKNOWN_KEY
					 : PENALTY_UNKNOWN;
}

static void
decide(struct job *j)
{
	struct parent *p = j->parent;
	struct verdict *v = &j->verdict;

	policy_decide(p->settings, &j->session->who, j->request, v);
	hide(j);
	j->log.verdict = v->code == CODE_OK ? AUDIT_ALLOWED : AUDIT_REFUSED;
	snprintf(j->log.rule, sizeof(j->log.rule), "%s", v->rule);
	j->session->known = v->client != NULL;
	set_client(j, v->client);
	if (j->session->known)
		tell_online(p, j->session);
	if (v->code != CODE_OK) {
		if (v->code == CODE_NO_IDENTITY || v->code == CODE_NOT_ALLOWED)
			p->counters.denied++;
		if (is_stranger(j))
			finish_offence(j, unknown_cause(&j->session->who),
				v->code, v->reason, v->rule);
		else
			job_finish(j, v->code, v->reason, v->rule);
	} else if (p->stopping && clock_ms() >= p->stop_grace) {
		job_finish(j, CODE_STOPPING, "the daemon is stopping", NULL);
	} else {
		answers_give(j);
	}
}

bool
request_answer(
	struct parent *p, struct session *s, const struct ask_question *q)
{
	struct job j = { .parent = p, .session = s };
	const struct settings_client *client;

	/* What has waited was counted when it came. */
	p->counters.requests += s->turn == 0;
	s->requests += s->turn == 0;
	s->asked = clock_ms();
	if (q->kind == ASK_REQUEST)
		j.request = &q->request;
	request_log_begin(p, s, j.request, &j.log);
	if (j.request != NULL) {
		decide(&j);
	} else {
		p->counters.malformed++;
		j.log.verdict = AUDIT_MALFORMED;
		client = policy_client(p->settings, &s->who);
		j.log.secret = client != NULL ? client->secret
					      : policy_needs_groups(
							p->settings, &s->who);
		set_client(&j, client);
		finish_offence(&j, PENALTY_MALFORMED, q->error.code,
			q->error.reason, NULL);
	}
	buf_free(&j.answer);
	return !j.waits;
}

void
request_action_ended(struct parent *p, struct action *a, const siginfo_t *si)
{
	struct buf status = { 0 };
	char text[192];
	int code = action_result(a, si, text, sizeof(text));

	/* Where the client has gone, it was not us who failed. */
	if (code == CODE_FAILED && a->session != NULL &&
		!action_lost_reader(a, si))
		p->counters.failed++;
	a->log.acted = true;
	runs_note_end(a, si);
	tell_request(p, &a->log, code, text);
	if (a->session != NULL) {
		request_log_status(&status, &a->log, code, text,
			a->log.verdict == AUDIT_REFUSED ? a->log.rule : NULL);
		a->session->action = NULL;
		session_answer(p, a->session, ASK_EXITED, &status);
		buf_free(&status);
	}
	p->nactions--;
	action_free(&p->actions, a);
}
