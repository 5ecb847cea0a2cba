#include "runs.h"

#include "parent.h"
#include "program.h"
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

/* Perhaps for its groups again, after a reload: it keeps its turn. */
static bool
is_waiting(const struct session *s)
{
	return s->turn != 0 &&
	       (s->state == SESSION_QUEUED || s->state == SESSION_LOOKUP);
}

static const char *
command_of(const struct session *s)
{
	return s->question->request.strings[REQUEST_NAME];
}

/* How many wait for that command before the one of this turn; 0: the last. */
static unsigned
count_before(const struct parent *p, const char *command, uint64_t turn)
{
	const struct session *s;
	unsigned n = 0;

	TAILQ_FOREACH (s, &p->sessions, entry)
		n += is_waiting(s) && (turn == 0 || s->turn < turn) &&
		     strcmp(command_of(s), command) == 0;
	return n;
}

unsigned
runs_queued(const struct parent *p)
{
	const struct session *s;
	unsigned n = 0;

	TAILQ_FOREACH (s, &p->sessions, entry)
		n += is_waiting(s);
	return n;
}

bool
runs_is_next(const struct parent *p, const struct session *s)
{
	return p->nactions < p->settings->limits.actions &&
	       count_running(p, command_of(s)) == 0 &&
	       count_before(p, command_of(s), s->turn) == 0;
}

enum runs_turn
runs_turn(const struct parent *p, const struct settings_command *c,
	uint64_t turn, int *code, char *text, size_t size)
{
	unsigned before;

	if (!program_may_become(c)) {
		*code = CODE_FAILED;
		snprintf(text, size,
			"this daemon, of uid %u, cannot run it as %.64s: only "
			"one with user = \"root\" can",
			(unsigned)geteuid(), c->user ? c->user : c->group);
		return RUNS_NEVER;
	}
	if (!c->exclusive)
		return RUNS_NOW;
	before = count_before(p, c->name, turn);
	if (before == 0 && count_running(p, c->name) == 0)
		return RUNS_NOW;
	if (before < c->queue)
		return RUNS_LATER;
	*code = CODE_TOO_MANY;
	snprintf(text, size, "%.64s runs already%s", c->name,
		c->queue > 0 ? ", and its queue is full" : "");
	return RUNS_NEVER;
}

static int
hand_over(const struct session *s, int pipe, enum ask_stream_number number,
	unsigned most, bool detach)
{
	struct ask_stream m = { number, detach, most };

	if (pipe == -1)
		return 0;
	return ask_answer(s->ask, ASK_RELAY, RELAY_STREAM, &m, sizeof(m), pipe);
}

int
runs_hand_over(const struct session *s, const struct settings_command *c,
	const struct action_pipes *p)
{
	unsigned input = c->max_input ? c->max_input : SETTINGS_INPUT_MAX;

	/*
	 * The input first: should the client be gone by now, its end must not
	 * be taken for that of an empty one.
	 */
	if (hand_over(s, p->in, STREAM_INPUT, input, c->detach) != 0 ||
		hand_over(s, p->out, STREAM_OUTPUT, c->max_output, c->detach) !=
			0)
		return -1;
	return hand_over(s, p->err, STREAM_ERROR, c->max_output, c->detach);
}

void
runs_note_end(struct action *a, const siginfo_t *si)
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
