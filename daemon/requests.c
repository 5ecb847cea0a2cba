#include "requests.h"

#include "about.h"
#include "abuse.h"
#include "clock.h"
#include "fd.h"
#include "policy.h"
#include "request_log.h"
#include "runs.h"
#include "tables.h"
#include "tell.h"
#include "template.h"
#include "watches.h"
#include "wire.h"

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One question on its way to an answer. */
struct job {
	struct parent *parent;
	struct session *session;
	const struct request *request; /* NULL: it was none */
	struct verdict verdict;
	struct audit_request log;
	struct buf answer; /* of an answer that needs no action */
	bool waits;        /* for other runs of its command */
};

/* The answer is complete: it goes to the session and into the log. */
static void
finish(struct job *j, int code, const char *text, const char *rule)
{
	request_log_status(&j->answer, &j->log, code, text, rule);
	tell_request(j->parent, &j->log, code, text);
	session_answer(j->parent, j->session, ASK_ANSWER, &j->answer);
}

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

/* How long it may take: a kill's own waiting comes on top. */
static int64_t
deadline_of(const struct job *j)
{
	const struct settings_command *command = j->verdict.call.command;
	int64_t seconds = j->parent->settings->limits.request_seconds;

	if (command != NULL && command->timeout > 0)
		seconds = command->timeout;
	if (j->request->verb == VERB_KILL)
		seconds += (j->request->escalate ? 2 : 1) *
			   (int64_t)j->request->wait;
	return clock_ms() + seconds * 1000;
}

/* The session has to get on with the answer for so long after its action. */
#define WRITE_GRACE_MS 5000

/* He can halt the machine whoever else waits; sessions_per_source bounds it. */
static bool
is_root(const struct identity *who)
{
	return who->kind == IDENTITY_UNIX && who->uid == 0;
}

static bool
has_place(const struct job *j)
{
	return j->parent->nactions < j->parent->settings->limits.actions ||
	       is_root(&j->session->who);
}

/* What a session makes of it depends on what it comes from. */
static int
hand_over(const struct job *j, bool program, const struct action_pipes *pipes)
{
	if (j->verdict.call.command != NULL)
		return runs_hand_over(
			j->session, j->verdict.call.command, pipes);
	return ask_answer(j->session->ask, ASK_RELAY,
		program ? RELAY_CAPTURE : RELAY_LINES, NULL, 0, pipes->out);
}

static void
start_action(struct job *j, char *const *argv, const char *about)
{
	struct parent *p = j->parent;
	struct session *s = j->session;
	struct action_context context = { .settings = p->settings,
		.client = j->verdict.client,
		.request = j->request,
		.id = j->log.id,
		.audit = p->audit,
		.daemon = p->pid,
		.rows = &j->answer,
		.command = j->verdict.call.command };
	struct action_pipes pipes;
	struct action *a;
	char text[128];

	if (!has_place(j)) {
		snprintf(text, sizeof(text), "%u actions are running",
			p->nactions);
		finish(j, CODE_TOO_MANY, text, NULL);
		return;
	}
	a = actions_start(
		&p->actions, &context, argv, about, deadline_of(j), &pipes);
	if (a == NULL) {
		buf_reset(&j->answer);
		snprintf(text, sizeof(text), "cannot start it: %s",
			strerror(errno));
		p->counters.failed++;
		finish(j, CODE_FAILED, text, NULL);
		return;
	}
	p->nactions++;
	a->log = j->log;
	a->session = s;
	s->action = a;
	s->state = SESSION_ACTING;
	s->deadline = a->deadline + WRITE_GRACE_MS;
	if (hand_over(j, argv != NULL, &pipes) != 0)
		session_kill(p, s);
	action_pipes_close(&pipes);
}

static void
answer_ping(struct job *j)
{
	int64_t up = (clock_ms() - j->parent->started) / 1000;
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%lld", (long long)up);
	wire_status(&j->answer, CODE_OK, "pong");
	wire_pair(&j->answer, "version", PACKAGE_VERSION);
	wire_pair(&j->answer, "uptime", seconds);
	wire_pair(&j->answer, "id", j->log.id);
	wire_end(&j->answer);
	tell_request(j->parent, &j->log, CODE_OK, "pong");
	session_answer(j->parent, j->session, ASK_ANSWER, &j->answer);
}

/* Monitoring gets its counters, though the rest were too much. */
static void
answer_status(struct job *j)
{
	tables_status(j->parent, &j->answer);
	if (!has_place(j) || j->parent->settings->scheduled[0] == NULL)
		finish(j, CODE_OK, "done", NULL);
	else
		start_action(j, NULL, "done");
}

static void
answer_verbs(struct job *j)
{
	tables_verbs(j->parent->settings, j->verdict.client, &j->answer);
	finish(j, CODE_OK, "done", NULL);
}

/* What one message has no room for goes by way of an action. */
static void
answer_who(struct job *j)
{
	char text[32];

	snprintf(text, sizeof(text), "%u connected", j->parent->nsessions);
	tables_who(j->parent, &j->answer);
	if (j->answer.len + WIRE_LINE_MAX < ASK_BYTES_MAX)
		finish(j, CODE_OK, text, NULL);
	else
		start_action(j, NULL, text);
}

/* Its status is made now, for the time when the watch ends. */
static void
answer_watch(struct job *j)
{
	request_log_status(
		&j->answer, &j->log, CODE_OK, "the watch has ended", NULL);
	tell_request(j->parent, &j->log, CODE_OK, "watching");
	if (!watches_begin(j->parent, j->session, j->request, &j->answer))
		session_kill(j->parent, j->session);
}

static void
say(struct job *j, const char *to, unsigned reached)
{
	struct parent *p = j->parent;
	char text[64];

	j->log.said = true;
	j->log.reached = reached;
	tell_message(
		p, j->session, &j->log, j->request->strings[REQUEST_TEXT], to);
	snprintf(text, sizeof(text), "told %u who watch%s%s", reached,
		reached == 1 ? "es" : "",
		j->request->wall ? "; wall has run" : "");
	if (j->request->wall)
		start_action(j, p->settings->wall, text);
	else
		finish(j, CODE_OK, text, NULL);
}

static void
answer_say(struct job *j)
{
	const char *to = j->request->strings[REQUEST_TO];
	unsigned reached = watches_reach(j->parent, to != NULL ? to : "");

	if (to != NULL && reached == 0)
		finish(j, CODE_NO_MATCH,
			"nobody of that name or source watches", NULL);
	else if (to != NULL && j->request->wall)
		finish(j, CODE_MALFORMED,
			"what goes to terminals is for all: leave out to= or "
			"wall=",
			NULL);
	else if (j->request->wall && j->parent->settings->wall[0] == NULL)
		finish(j, CODE_FAILED, "no program is set for wall", NULL);
	else
		say(j, to != NULL ? to : "", reached);
}

static void
answer_explain(struct job *j)
{
	struct request subject = *j->request;
	struct verdict v;

	subject.explain = false;
	policy_decide(j->parent->settings, &j->session->who, &subject, &v);
	tables_explain(&v, &j->answer);
	finish(j, CODE_OK, "done", NULL);
}

static void
answer_kill(struct job *j)
{
	struct buf about = { 0 };

	about_kill(j->request, &about);
	start_action(j, NULL, buf_str(&about));
	buf_free(&about);
}

/* Whether anybody is asked before a halt is tried. */
static bool
asks_first(const struct settings *s)
{
	return s->scheduled[0] != NULL ||
	       (s->inhibitors[0] != NULL && !s->override_inhibitors);
}

/* What a halt would run; the action asks whether something is in its way. */
static void
answer_dry_halt(struct job *j, char *const *argv)
{
	struct buf text = { 0 };

	buf_adds(&text, "would run ");
	template_print(argv, &text);
	if (text.len > WIRE_COMMAND_MAX)
		text.len = WIRE_COMMAND_MAX;
	if (asks_first(j->parent->settings))
		start_action(j, argv, buf_str(&text));
	else
		finish(j, CODE_OK, buf_str(&text), NULL);
	buf_free(&text);
}

static void
answer_halt(struct job *j)
{
	const struct request *r = j->request;
	const struct template_value values[] = {
		{ "when", r->strings[REQUEST_WHEN] },
		{ "message", r->strings[REQUEST_MESSAGE] }, { NULL, NULL }
	};
	char **argv =
		template_expand(j->parent->settings->power[r->mode], values);
	struct buf about = { 0 };

	if (argv == NULL) {
		finish(j, CODE_FAILED, "out of memory", NULL);
	} else if (r->dry_run) {
		answer_dry_halt(j, argv);
	} else {
		about_halt(r, &about);
		start_action(j, argv, buf_str(&about));
	}
	buf_free(&about);
	template_free(argv);
}

static void
answer_run(struct job *j)
{
	const struct command_call *call = &j->verdict.call;
	char **argv, text[160];
	int code;

	switch (runs_turn(
		j->parent, call->command, &code, text, sizeof(text))) {
	case RUNS_LATER:
		j->waits = true;
		return;
	case RUNS_NEVER:
		finish(j, code, text, NULL);
		return;
	default:
		break;
	}
	if ((argv = template_expand(call->command->argv, call->values)) == NULL)
		finish(j, CODE_FAILED, "out of memory", NULL);
	else
		start_action(j, argv, call->command->name);
	template_free(argv);
}

static void
answer_cancel(struct job *j)
{
	start_action(j, j->parent->settings->cancel, "cancel");
}

static void
answer_allowed(struct job *j)
{
	if (j->request->explain) {
		answer_explain(j);
		return;
	}
	switch (j->request->verb) {
	case VERB_HALT:
		answer_halt(j);
		break;
	case VERB_LIST:
		start_action(j, NULL, "");
		break;
	case VERB_KILL:
		answer_kill(j);
		break;
	case VERB_PING:
		answer_ping(j);
		break;
	case VERB_RUN:
		answer_run(j);
		break;
	case VERB_CANCEL:
		answer_cancel(j);
		break;
	case VERB_STATUS:
		answer_status(j);
		break;
	case VERB_SAY:
		answer_say(j);
		break;
	case VERB_WATCH:
		answer_watch(j);
		break;
	case VERB_WHO:
		answer_who(j);
		break;
	case VERB_VERBS:
		answer_verbs(j);
		break;
	default:
		finish(j, CODE_UNKNOWN_VERB, "unknown verb", NULL);
	}
}

static void
set_client(struct job *j, const struct settings_client *c)
{
	if (c != NULL)
		snprintf(j->log.client, sizeof(j->log.client), "%s", c->name);
	snprintf(j->session->name, sizeof(j->session->name), "%s",
		j->log.client);
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
	if (policy_secret(p->settings, v->client, j->request)) {
		j->log.secret = true;
		snprintf(j->log.args, sizeof(j->log.args), "(secret)");
	}
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
			finish(j, v->code, v->reason, v->rule);
	} else if (p->stopping && clock_ms() >= p->stop_grace) {
		finish(j, CODE_STOPPING, "the daemon is stopping", NULL);
	} else {
		answer_allowed(j);
	}
}

bool
request_answer(
	struct parent *p, struct session *s, const struct ask_question *q)
{
	struct job j = { .parent = p, .session = s };

	/* What has waited was counted when it came. */
	p->counters.requests += s->state != SESSION_QUEUED;
	s->requests += s->state != SESSION_QUEUED;
	s->asked = clock_ms();
	if (q->kind == ASK_REQUEST)
		j.request = &q->request;
	request_log_begin(p, s, j.request, &j.log);
	if (j.request != NULL) {
		decide(&j);
	} else {
		p->counters.malformed++;
		j.log.verdict = AUDIT_MALFORMED;
		set_client(&j, policy_client(p->settings, &s->who));
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
	if (code == CODE_FAILED && a->session != NULL)
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
