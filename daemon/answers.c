#include "answers.h"

#include "about.h"
#include "clock.h"
#include "request_log.h"
#include "runs.h"
#include "tables.h"
#include "tell.h"
#include "template.h"
#include "watches.h"
#include "wire.h"

#include "config.h"

#include <stdio.h>

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
	if (!job_has_place(j) || j->parent->settings->scheduled[0] == NULL)
		job_finish(j, CODE_OK, "done", NULL);
	else
		job_start(j, NULL, "done");
}

/* What one message has no room for goes by way of an action. */
static void
finish_rows(struct job *j, const char *text)
{
	if (j->answer.len + WIRE_LINE_MAX < ASK_BYTES_MAX)
		job_finish(j, CODE_OK, text, NULL);
	else
		job_start(j, NULL, text);
}

static void
answer_verbs(struct job *j)
{
	tables_verbs(j->parent->settings, j->verdict.client, &j->answer);
	finish_rows(j, "done");
}

static void
answer_who(struct job *j)
{
	char text[32];

	snprintf(text, sizeof(text), "%u connected", j->parent->nsessions);
	tables_who(j->parent, &j->answer);
	finish_rows(j, text);
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
		job_start(j, p->settings->wall, text);
	else
		job_finish(j, CODE_OK, text, NULL);
}

static void
answer_say(struct job *j)
{
	const char *to = j->request->strings[REQUEST_TO];
	unsigned reached = watches_reach(
		j->parent, j->session->name, to != NULL ? to : "");

	if (to != NULL && reached == 0)
		job_finish(j, CODE_NO_MATCH,
			"nobody of that name or source watches", NULL);
	else if (to != NULL && j->request->wall)
		job_finish(j, CODE_MALFORMED,
			"what goes to terminals is for all: leave out to= or "
			"wall=",
			NULL);
	else if (j->request->wall && j->parent->settings->wall[0] == NULL)
		job_finish(j, CODE_FAILED, "no program is set for wall", NULL);
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
	job_finish(j, CODE_OK, "done", NULL);
}

static void
answer_kill(struct job *j)
{
	struct buf about = { 0 };

	about_kill(j->request, &about);
	job_start(j, NULL, buf_str(&about));
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
		job_start(j, argv, buf_str(&text));
	else
		job_finish(j, CODE_OK, buf_str(&text), NULL);
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
		job_finish(j, CODE_FAILED, "out of memory", NULL);
	} else if (r->dry_run) {
		answer_dry_halt(j, argv);
	} else {
		about_halt(r, &about);
		job_start(j, argv, buf_str(&about));
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

	switch (runs_turn(j->parent, call->command, j->session->turn, &code,
		text, sizeof(text))) {
	case RUNS_LATER:
		j->waits = true;
		return;
	case RUNS_NEVER:
		job_finish(j, code, text, NULL);
		return;
	default:
		break;
	}
	if ((argv = template_expand(call->command->argv, call->values)) == NULL)
		job_finish(j, CODE_FAILED, "out of memory", NULL);
	else
		job_start(j, argv, call->command->name);
	template_free(argv);
}

static void
answer_cancel(struct job *j)
{
	job_start(j, j->parent->settings->cancel, "cancel");
}

void
answers_give(struct job *j)
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
		job_start(j, NULL, "");
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
		job_finish(j, CODE_UNKNOWN_VERB, "unknown verb", NULL);
	}
}
