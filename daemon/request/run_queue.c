#include "request/run_queue.h"

#include "action/exec.h"
#include "request/state.h"
#include "text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static unsigned
count_running(const struct parent *p, const char *command)
{
	const struct action *a;
	unsigned n = 0;

	TAILQ_FOREACH (a, &p->actions, entry)
		n += a->verb == VERB_RUN && strcmp(a->about, command) == 0;
	return n;
}

/*
 * True if the session's `run` request waits for earlier runs of the same
 * command. After a reload, a queued request may wait for the user's groups
 * again, and keeps its place in the queue.
 */
static bool
is_waiting(const struct session *s)
{
	return s->turn != 0 &&
	       (s->state == SESSION_QUEUED || s->state == SESSION_LOOKUP);
}

static const char *
command_of(const struct session *s)
{
	return s->held->request.strings[REQUEST_NAME];
}

/*
 * Return the number of sessions whose runs of the command come before the run
 * of `one`. If `same` is true, count only sessions of the same source.
 */
static unsigned
count_before(const struct parent *p, const char *command,
	const struct session *one, bool same)
{
	const struct session *s;
	unsigned n = 0;

	TAILQ_FOREACH (s, &p->sessions, entry)
		n += is_waiting(s) && (one->turn == 0 || s->turn < one->turn) &&
		     (!same || memcmp(&s->source, &one->source,
				       sizeof(s->source)) == 0) &&
		     strcmp(command_of(s), command) == 0;
	return n;
}

unsigned
run_queue_length(const struct parent *p)
{
	const struct session *s;
	unsigned n = 0;

	TAILQ_FOREACH (s, &p->sessions, entry)
		n += is_waiting(s);
	return n;
}

bool
run_queue_is_next(const struct parent *p, const struct session *s)
{
	return session_may_act(p, s) && count_running(p, command_of(s)) == 0 &&
	       count_before(p, command_of(s), s, false) == 0;
}

enum run_queue_turn
run_queue_turn(const struct parent *p, const struct session *s,
	const struct settings_command *c, int *code, char *text, size_t size)
{
	if (!exec_is_permitted(c)) {
		*code = CODE_FAILED;
		snprintf(text, size,
			"cannot run the command as %.64s: that needs a daemon "
			"with user = \"root\", not uid %u",
			c->user ? c->user : c->group, (unsigned)geteuid());
		return RUNS_NEVER;
	}
	if (!c->exclusive)
		return RUNS_NOW;
	if (count_running(p, c->name) == 0 &&
		count_before(p, c->name, s, false) == 0)
		return RUNS_NOW;
	if (count_before(p, c->name, s, true) < c->queue)
		return RUNS_LATER;
	*code = CODE_TOO_MANY;
	snprintf(text, size, "%.64s is already running%s", c->name,
		c->queue > 0 ? ", and its queue is full" : "");
	return RUNS_NEVER;
}

static int
hand_over(const struct session *s, int pipe, enum privsep_stream_number number,
	unsigned most, bool detach)
{
	struct privsep_stream m = { number, detach, most };

	if (pipe == -1)
		return 0;
	return privsep_reply(
		s->channel, PRIVSEP_RELAY, RELAY_STREAM, &m, sizeof(m), pipe);
}

int
run_queue_hand_over(const struct session *s, const struct settings_command *c,
	const struct action_pipes *p)
{
	unsigned input = c->max_input ? c->max_input : SETTINGS_INPUT_MAX;

	/*
	 * Pass the input pipe first. If the client is already gone, the session
	 * must treat the input as incomplete, not as empty.
	 */
	if (hand_over(s, p->in, STREAM_INPUT, input, c->detach) != 0 ||
		hand_over(s, p->out, STREAM_OUTPUT, c->max_output, c->detach) !=
			0)
		return -1;
	return hand_over(s, p->err, STREAM_ERROR, c->max_output, c->detach);
}

void
run_queue_note_end(struct action *a, const siginfo_t *si)
{
	if (a->verb != VERB_RUN || a->ended != NULL || a->report->code != 0)
		return;
	if (si->si_code == CLD_EXITED)
		snprintf(a->log.end, sizeof(a->log.end), "exit=%d",
			si->si_status);
	else
		snprintf(a->log.end, sizeof(a->log.end), "signal=%s",
			text_signal_name(si->si_status));
}
