#include "sessions.h"

#include "clock.h"
#include "fd.h"
#include "parent.h"
#include "policy.h"
#include "requests.h"
#include "session.h"
#include "text.h"
#include "wire.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACCEPT_BATCH 4      /* at one listener, before others get a turn */
#define ACCEPT_PAUSE_MS 100 /* when there are no descriptors left */
#define ACCEPT_LOG_MS 10000 /* between two lines about that */
#define END_MS 2000         /* for a session to obey */
#define RUSH 32             /* so many sessions at once leave a larger heap */

static void
free_session(struct parent *p, struct session *s)
{
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

/* Its end of the channel is closed: all that is left to do is reap it. */
static void
lose(struct session *s)
{
	abandon(s);
	fd_close(&s->ask);
	s->state = SESSION_ENDING;
	s->deadline = clock_ms() + END_MS;
}

void
session_kill(struct parent *p, struct session *s)
{
	(void)p;
	s->killed = true;
	kill(s->pid, SIGKILL);
	lose(s);
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
	if (answer->failed || ask_answer(s->ask, kind, RELAY_LINES,
				      answer->data, answer->len, -1) != 0) {
		audit_log(p->audit, LOG_WARNING,
			"session %d cannot take its answer: %s", (int)s->pid,
			strerror(errno));
		session_kill(p, s);
	}
}

static unsigned
count_source(const struct parent *p, const struct identity_source *source)
{
	const struct session *s;
	unsigned n = 0;

	TAILQ_FOREACH (s, &p->sessions, entry)
		n += memcmp(&s->source, source, sizeof(*source)) == 0;
	return n;
}

bool
sessions_room(const struct parent *p, const struct listener *l)
{
	unsigned reserved = l->unix_path != NULL ? 0 : SESSIONS_RESERVED;

	return p->nsessions + reserved < p->settings->limits.sessions;
}

/* In the child: only its two descriptors are left, and it never returns. */
static void __attribute__((noreturn)) run_child(int client, int ask)
{
	unsigned low = (unsigned)(client < ask ? client : ask);
	unsigned high = (unsigned)(client < ask ? ask : client);

	if (low > 3)
		close_range(3, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0u, 0);
	session_run(client, ask);
}

static struct session *
fork_session(struct parent *p, int client)
{
	struct session *s = calloc(1, sizeof(*s));
	int pair[2];

	if (s == NULL)
		return NULL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0, pair) != 0)
		goto fail;
	if ((s->pid = fork()) == 0)
		run_child(client, pair[1]);
	fd_close(&pair[1]);
	if (s->pid == -1) {
		fd_close(&pair[0]);
		goto fail;
	}
	s->ask = pair[0];
	s->state = SESSION_NEW;
	s->deadline = clock_ms() + p->settings->limits.login_seconds * 1000LL;
	TAILQ_INSERT_TAIL(&p->sessions, s, entry);
	if (++p->nsessions > p->rush)
		p->rush = p->nsessions;
	return s;
fail:
	free(s);
	return NULL;
}

static void
refuse(struct parent *p, int client, const struct identity *who, int code,
	const char *text)
{
	struct buf source = { 0 };

	identity_print(who, &source);
	p->counters.refused++;
	audit_log(p->audit, LOG_WARNING,
		"refused source=%s result=%d text=\"%s\"", buf_str(&source),
		code, text);
	refusals_add(&p->refusals, client, code, text);
	buf_free(&source);
}

/* One connection: who is it, is there room for it, then a process of its own */
static void
admit(struct parent *p, const struct listener *l, int client)
{
	struct identity_source source;
	struct identity who;
	struct session *s;

	p->counters.connections++;
	if (l->unix_path == NULL)
		identity_tcp(client, p->diag, l->insecure, &who);
	else
		identity_unix(client, &who);
	identity_source(&who, &source);
	if (!sessions_room(p, l)) {
		refuse(p, client, &who, CODE_TOO_MANY, "too many sessions");
	} else if (count_source(p, &source) >=
		   p->settings->limits.sessions_per_source) {
		refuse(p, client, &who, CODE_TOO_MANY,
			"too many sessions from this source");
	} else if ((s = fork_session(p, client)) == NULL) {
		refuse(p, client, &who, CODE_FAILED, "cannot start a session");
	} else {
		s->who = who;
		s->source = source;
		close(client);
		return;
	}
	identity_free(&who);
}

/* Whether it is worth trying again at once. */
static bool
accept_failed(struct parent *p)
{
	int64_t now = clock_ms();

	if (errno == EINTR || errno == ECONNABORTED)
		return true;
	if (errno != EAGAIN) {
		/* The socket stays readable: without a pause we would spin. */
		p->accept_again = now + ACCEPT_PAUSE_MS;
		if (now >= p->accept_log_again)
			audit_log(p->audit, LOG_ERR, "accept: %s",
				strerror(errno));
		p->accept_log_again = now + ACCEPT_LOG_MS;
	}
	return false;
}

void
sessions_accept(struct parent *p, const struct listener *l)
{
	int client, i;

	for (i = 0; i < ACCEPT_BATCH; i++) {
		if (l->unix_path != NULL && !sessions_room(p, l))
			return;
		client = accept4(
			l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (client != -1)
			admit(p, l, client);
		else if (!accept_failed(p))
			return;
	}
}

/*
 * Answers the question at once, or keeps it until the groups are known. An
 * identity whose groups cannot be asked for has none: never more rights.
 */
static void
consider(struct parent *p, struct session *s, const struct ask_question *q)
{
	struct ask_question *copy;
	int known = 1;

	if (policy_needs_groups(p->settings, &s->who))
		known = lookups_groups(&p->lookups, &s->who);
	if (known != 0) {
		request_answer(p, s, q);
		return;
	}
	if (s->question == NULL) {
		if ((copy = malloc(sizeof(*copy))) == NULL) {
			session_kill(p, s);
			return;
		}
		*copy = *q;
		/* Its strings point into itself. */
		if (q->kind == ASK_REQUEST)
			ask_rebase(copy, q);
		s->question = copy;
	}
	s->state = SESSION_LOOKUP;
	s->deadline = clock_ms() + p->settings->limits.request_seconds * 1000LL;
}

void
sessions_resume(struct parent *p)
{
	struct ask_question *q;
	struct session *s;

	TAILQ_FOREACH (s, &p->sessions, entry) {
		if (s->state != SESSION_LOOKUP)
			continue;
		q = s->question;
		s->question = NULL;
		consider(p, s, q);
		free(q);
	}
}

/* It has waited for its groups as long as a request may take. */
static void
answer_without_groups(struct parent *p, struct session *s)
{
	struct ask_question *q = s->question;

	s->question = NULL;
	request_answer(p, s, q);
	free(q);
}

static void
break_off(struct parent *p, struct session *s, const char *what)
{
	struct buf source = { 0 };

	identity_print(&s->who, &source);
	audit_log(p->audit, LOG_ERR,
		"session %d source=%s broke the protocol: %s: killed",
		(int)s->pid, buf_str(&source), what);
	buf_free(&source);
	session_kill(p, s);
}

static void
hear_done(struct parent *p, struct session *s)
{
	if (s->state != SESSION_WRITING) {
		break_off(p, s, "done without an answer");
		return;
	}
	s->state = SESSION_IDLE;
	s->deadline = clock_ms() + p->settings->limits.idle_seconds * 1000LL;
	if (p->stopping)
		session_end(s, CODE_STOPPING, "the daemon is stopping");
}

void
session_hear(struct parent *p, struct session *s)
{
	struct ask_question *q = &p->question;
	int result = ask_question(s->ask, q);

	if (result < 0) {
		if (errno == EPROTO)
			break_off(p, s, "not a message");
		else if (errno != EAGAIN)
			lose(s);
	} else if (result == 0) {
		lose(s);
	} else if (s->state == SESSION_ENDING) {
		return; /* it asked before it heard that it has to go */
	} else if (q->kind == ASK_DONE) {
		hear_done(p, s);
	} else if (s->state == SESSION_LOOKUP || s->state == SESSION_ACTING) {
		break_off(p, s, "a question before the last was answered");
	} else {
		consider(p, s, q);
	}
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
		session_end(s, CODE_TOO_SLOW, text);
		break;
	case SESSION_LOOKUP:
		answer_without_groups(p, s);
		break;
	case SESSION_ENDING:
		session_kill(p, s);
		s->deadline = CLOCK_NEVER;
		break;
	default:
		/* In the middle of an answer that the client does not read. */
		p->counters.timeouts++;
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

/* What a rush has left is given back: every later fork() is the faster. */
static void
rest(struct parent *p)
{
	if (p->nsessions > 0)
		return;
	if (p->rush >= RUSH)
		malloc_trim(0);
	p->rush = 0;
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
	rest(p);
	return true;
}
