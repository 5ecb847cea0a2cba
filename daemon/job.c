#include "job.h"

#include "clock.h"
#include "request_log.h"
#include "runs.h"
#include "tell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The answer is complete: it goes to the session and into the log. */
void
job_finish(struct job *j, int code, const char *text, const char *rule)
{
	request_log_status(&j->answer, &j->log, code, text, rule);
	tell_request(j->parent, &j->log, code, text);
	session_answer(j->parent, j->session, ASK_ANSWER, &j->answer);
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

bool
job_has_place(const struct job *j)
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

void
job_start(struct job *j, char *const *argv, const char *about)
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

	if (!job_has_place(j)) {
		snprintf(text, sizeof(text), "%u actions are running",
			p->nactions);
		job_finish(j, CODE_TOO_MANY, text, NULL);
		return;
	}
	a = actions_start(
		&p->actions, &context, argv, about, deadline_of(j), &pipes);
	if (a == NULL) {
		buf_reset(&j->answer);
		snprintf(text, sizeof(text), "cannot start it: %s",
			strerror(errno));
		p->counters.failed++;
		job_finish(j, CODE_FAILED, text, NULL);
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
