#include "sessions.h"

#include "abuse.h"
#include "clock.h"
#include "fd.h"
#include "parent.h"
#include "tell.h"
#include "text.h"
#include "watches.h"
#include "wire.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END_MS 2000 /* for a session to obey */

static void
free_session(struct parent *p, struct session *s)
{
	tell_offline(p, s);
	watches_free(p, s);
	TAILQ_REMOVE(&p->sessions, s, entry);
	p->nsessions--;
	fd_close(&s->ask);
	identity_free(&s->who);
	free(s->question);
	free(s);
}

/* Nobody waits for its action any more. */
static void
abandon(struct session *s)
{
	if (s->action == NULL)
		return;
	s->action->session = NULL;
	action_end(s->action, CODE_FAILED, "the client is gone");
	s->action = NULL;
}

void
session_leaves(struct session *s)
{
	s->state = SESSION_ENDING;
	s->deadline = clock_ms() + END_MS;
}

void
session_lose(struct parent *p, struct session *s)
{
	abandon(s);
	tell_offline(p, s);
	fd_close(&s->ask);
	s->state = SESSION_ENDING;
	s->deadline = clock_ms() + END_MS;
}

void
session_kill(struct parent *p, struct session *s)
{
	s->killed = true;
	kill(s->pid, SIGKILL);
	session_lose(p, s);
}

void
session_end(struct session *s, int code, const char *text)
{
	struct buf line = { 0 };

	if (s->state == SESSION_ENDING)
		return;
	if (code != 0) {
		wire_status(&line, code, text);
		wire_end(&line);
	}
	s->state = SESSION_ENDING;
	s->deadline = clock_ms() + END_MS;
	if (ask_answer(s->ask, ASK_END, RELAY_LINES, line.data, line.len, -1) !=
		0)
		s->deadline = 0;
	buf_free(&line);
}

void
session_answer(struct parent *p, struct session *s, enum ask_kind kind,
	const struct buf *answer)
{
	int64_t grace = p->settings->limits.request_seconds * 1000LL;

	if (s->state == SESSION_ENDING)
		return;
	if (kind == ASK_ANSWER)
		s->deadline = clock_ms() + grace;
	s->state = SESSION_WRITING;
	if (!answer->failed && ask_answer(s->ask, kind, RELAY_LINES,
				       answer->data, answer->len, -1) == 0)
		return;
	if (!answer->failed && (errno == EPIPE || errno == ECONNRESET)) {
		session_lose(p, s); /* its end is on its way to us */
		return;
	}
	audit_log(p->audit, LOG_WARNING,
		"session %d cannot take its answer: %s", (int)s->pid,
		answer->failed ? "out of memory" : strerror(errno));
	session_kill(p, s);
}

static void
report_timeout(struct parent *p, const struct session *s, const char *text)
{
	struct buf source = { 0 };

	if (!abuse_line(p, &s->source, LOG_INFO))
		return;
	identity_print(&s->who, &source);
	audit_log(p->audit, LOG_INFO, "session %d source=%s timed out: %s",
		(int)s->pid, buf_str(&source), text);
	buf_free(&source);
}

static void
expire(struct parent *p, struct session *s)
{
	const struct settings_limits *limits = &p->settings->limits;
	unsigned seconds = s->state == SESSION_NEW ? limits->login_seconds
						   : limits->idle_seconds;
	char text[64];

	switch (s->state) {
	case SESSION_NEW:
	case SESSION_IDLE:
		snprintf(text, sizeof(text), "no request within %u second%s",
			seconds, seconds == 1 ? "" : "s");
		p->counters.timeouts++;
		report_timeout(p, s, text);
		if (s->state == SESSION_NEW)
			abuse_offence(p, s, PENALTY_TIMEOUT);
		session_end(s, CODE_TOO_SLOW, text);
		break;
	case SESSION_LOOKUP:
	case SESSION_QUEUED:
		break; /* questions.c sees to them */
	case SESSION_WATCHING:
		watches_tick(p, s);
		break;
	case SESSION_ENDING:
		session_kill(p, s);
		s->deadline = CLOCK_NEVER;
		break;
	default:
		p->counters.timeouts++;
		report_timeout(p, s, "the client does not read its answer");
		abandon(s);
		session_end(s, 0, NULL);
	}
}

void
sessions_expire(struct parent *p, int64_t now)
{
	struct session *s;

	TAILQ_FOREACH (s, &p->sessions, entry)
		if (now >= s->deadline)
			expire(p, s);
}

int64_t
sessions_deadline(const struct parent *p)
{
	const struct session *s;
	int64_t first = CLOCK_NEVER;

	TAILQ_FOREACH (s, &p->sessions, entry)
		if (s->deadline < first)
			first = s->deadline;
	return first;
}

/* A session that dies of one of these has a bug, or somebody used one. */
static bool
is_crash(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGABRT ||
	       sig == SIGILL || sig == SIGFPE || sig == SIGSYS;
}

static void
report_death(struct parent *p, const struct session *s, int sig)
{
	struct buf source = { 0 };

	identity_print(&s->who, &source);
	if (is_crash(sig))
		p->counters.crashes++;
	audit_log(p->audit, is_crash(sig) ? LOG_CRIT : LOG_WARNING,
		"session %d source=%s %s of signal %s", (int)s->pid,
		buf_str(&source), is_crash(sig) ? "crashed" : "died",
		text_signal_name(sig));
	buf_free(&source);
	if (is_crash(sig))
		abuse_offence(p, s, PENALTY_CRASH);
}

bool
sessions_reaped(struct parent *p, pid_t pid, int code, int status)
{
	struct session *s;

	TAILQ_FOREACH (s, &p->sessions, entry)
		if (s->pid == pid)
			break;
	if (s == NULL)
		return false;
	if (code != CLD_EXITED && !s->killed)
		report_death(p, s, status);
	abandon(s);
	free_session(p, s);
	return true;
}
