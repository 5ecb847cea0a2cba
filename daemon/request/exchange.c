#include "request/exchange.h"

#include "clock.h"
#include "request/request_log.h"
#include "request/run_queue.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void
exchange_finish(
	struct exchange *x, int code, const char *text, const char *rule)
{
	request_log_status(&x->reply, &x->log, code, text, rule);
	request_log_end(x->parent, &x->log, code, text);
	session_reply(x->parent, x->session, PRIVSEP_REPLY, &x->reply);
}

/*
 * Return the deadline of the action. For a `kill` request, add the time of
 * wait=. If the request escalates, add this time twice.
 */
static int64_t
deadline_of(const struct exchange *x)
{
	const struct settings_command *command = x->verdict.call.command;
	int64_t seconds = x->parent->settings->limits.request_seconds;

	if (command != NULL && command->timeout > 0)
		seconds = command->timeout;
	if (x->request->verb == VERB_KILL)
		seconds += (x->request->escalate ? 2 : 1) *
			   (int64_t)x->request->wait;
	return clock_ms() + seconds * 1000;
}

/*
 * Time for the session to write the reply after the action's deadline, in ms.
 */
#define WRITE_GRACE_MS 5000

/*
 * Refuse to start an action, because the number of all actions, or of this
 * source's actions, has reached its limit.
 */
static void
refuse_action(struct exchange *x)
{
	const struct parent *p = x->parent;
	bool full = p->nactions >= p->settings->limits.actions;
	char text[128];

	snprintf(text, sizeof(text), "%u actions%s are running",
		full ? p->nactions
		     : sessions_count_actions(p, &x->session->source),
		full ? "" : " of this source");
	/*
	 * Drop the records. A refusal contains no records, and a long table may
	 * not fit into one message.
	 */
	buf_reset(&x->reply);
	exchange_finish(x, CODE_TOO_MANY, text, NULL);
}

/*
 * Send the daemon's descriptors of the pipes to the session. The message says
 * if the output is a command's streams, a program's output or lines of the
 * reply. Return 0, or -1 with errno.
 */
static int
pass_pipes(const struct exchange *x, bool program,
	const struct action_pipes *pipes)
{
	if (x->verdict.call.command != NULL)
		return run_queue_hand_over(
			x->session, x->verdict.call.command, pipes);
	return privsep_reply(x->session->channel, PRIVSEP_RELAY,
		program ? RELAY_CAPTURE : RELAY_LINES, NULL, 0, pipes->out);
}

void
exchange_start_action(struct exchange *x, char *const *argv, const char *about)
{
	struct parent *p = x->parent;
	struct session *s = x->session;
	struct action_context context = { .settings = p->settings,
		.client = x->verdict.client,
		.request = x->request,
		.argv = argv,
		.id = x->log.id,
		.logger = p->logger,
		.daemon = p->pid,
		.rows = &x->reply,
		.command = x->verdict.call.command };
	struct action_pipes pipes;
	struct action *a;
	char text[128];

	if (!session_may_act(p, s)) {
		refuse_action(x);
		return;
	}
	a = actions_start(&p->actions, &context, about, deadline_of(x), &pipes);
	if (a == NULL) {
		buf_reset(&x->reply);
		snprintf(text, sizeof(text), "cannot start the action: %s",
			strerror(errno));
		p->counters.failed++;
		exchange_finish(x, CODE_FAILED, text, NULL);
		return;
	}
	p->nactions++;
	a->log = x->log;
	a->session = s;
	a->source = s->source;
	s->action = a;
	s->state = SESSION_ACTING;
	s->deadline = a->deadline + WRITE_GRACE_MS;
	if (pass_pipes(x, argv != NULL, &pipes) != 0)
		session_kill(p, s);
	action_pipes_close(&pipes);
}
