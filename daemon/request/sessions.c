#include "request/sessions.h"

#include "clock.h"
#include "events/event_publish.h"
#include "fd.h"
#include "request/penalize.h"
#include "request/state.h"
#include "text.h"
#include "wire.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define END_MS 2000   /* time for a session to end by itself, in ms */
#define RENEW_MS 1000 /* minimum time between two grants of CPU time, in ms */
/* time until the next attempt to take a spare session, in ms */
#define RETRY_MS 50
/* time for a session to end after its client has hung up, in ms */
#define GONE_MS 2000

/* True if another session of the same client and source is online. */
static bool
has_another(const struct parent *p, const struct session *s)
{
	const struct session *other;

	TAILQ_FOREACH (other, &p->sessions, entry)
		if (other != s && other->online &&
			strcmp(other->name, s->name) == 0 &&
			memcmp(&other->source, &s->source, sizeof(s->source)) ==
				0)
			return true;
	return false;
}

void
session_set_online(struct parent *p, struct session *s, bool online)
{
	if (s->online == online)
		return;
	s->online = online;
	if (has_another(p, s))
		return;
	event_publish(&p->history,
		&(struct event){ .kind = online ? EVENT_ONLINE : EVENT_OFFLINE,
			.name = s->name,
			.source = peer_text(&s->peer),
			.transport = s->transport });
}

unsigned
sessions_count_actions(const struct parent *p, const struct peer_source *source)
{
	const struct action *a;
	unsigned n = 0;

	TAILQ_FOREACH (a, &p->actions, entry)
		n += memcmp(&a->source, source, sizeof(*source)) == 0;
	return n;
}

bool
session_may_act(const struct parent *p, const struct session *s)
{
	const struct settings_limits *limits = &p->settings->limits;

	return peer_is_root(&s->peer) ||
	       (p->nactions < limits->actions &&
		       sessions_count_actions(p, &s->source) <
			       limits->sessions_per_source);
}

void
session_unsubscribe(struct parent *p, struct session *s)
{
	if (s->subscriber == NULL)
		return;
	p->nsubscribers--;
	buf_free(&s->subscriber->status);
	free(s->subscriber);
	s->subscriber = NULL;
}

void
session_join_rate(struct parent *p, struct session *s)
{
	/* The kernel has told the uid, so this is root on this machine. */
	if (peer_has_uid(&s->peer) && s->peer.uid == 0)
		return;
	s->rate = request_rates_join(&p->rates, &s->source, clock_ms());
	if (s->rate == NULL)
		session_kill(p, s);
}

bool
session_may_send(const struct session *s, int64_t now)
{
	return s->rate == NULL || now >= request_rate_ready(s->rate);
}

static void
free_session(struct parent *p, struct session *s)
{
	if (s->rate != NULL)
		request_rates_leave(s->rate);
	session_set_online(p, s, false);
	session_unsubscribe(p, s);
	TAILQ_REMOVE(&p->sessions, s, entry);
	p->nsessions--;
	fd_close(&s->channel);
	fd_close(&s->remote);
	fd_close(&s->client);
	peer_free(&s->peer);
	free(s->held);
	free(s);
}

/* End the session's action, because no client waits for the result. */
static void
abandon_action(struct session *s)
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
	abandon_action(s);
	session_set_online(p, s, false);
	fd_close(&s->channel);
	session_leaves(s);
}

void
session_kill(struct parent *p, struct session *s)
{
	s->killed = true;
	if (s->pid != 0)
		kill(s->pid, SIGKILL);
	session_lose(p, s);
}

int
session_send(const struct session *s, enum privsep_kind kind,
	const struct buf *lines)
{
	errno = ENOMEM;
	return lines->failed ? -1
			     : privsep_reply(s->channel, kind, RELAY_LINES,
				       lines->data, lines->len, -1);
}

static void
send_end(struct session *s, enum privsep_kind kind, struct buf *bytes)
{
	session_leaves(s);
	if (session_send(s, kind, bytes) != 0)
		s->deadline = 0;
	buf_free(bytes);
}

void
session_end(struct session *s, int code, const char *text, const char *rule)
{
	struct buf line = { 0 };

	if (s->state == SESSION_ENDING)
		return;
	if (code != 0) {
		wire_status(&line, code, text);
		if (rule != NULL && *rule != '\0')
			wire_pair(&line, "rule", rule);
		if (s->subscriber != NULL)
			wire_pair(&line, "id", s->subscriber->id);
		wire_end(&line);
	}
	send_end(s, PRIVSEP_END, &line);
}

/*
 * End a session whose client has not sent a complete request in time. If the
 * client has begun a line, only the session knows this line, so the session
 * writes the status.
 */
static void
end_silent(struct session *s, const char *text)
{
	struct buf bytes = { 0 };

	if (!s->begun) {
		session_end(s, CODE_TOO_SLOW, text, NULL);
		return;
	}
	buf_adds(&bytes, text);
	send_end(s, PRIVSEP_LATE, &bytes);
}

void
session_reply(struct parent *p, struct session *s, enum privsep_kind kind,
	const struct buf *answer)
{
	int64_t grace = p->settings->limits.request_seconds * 1000LL;

	if (s->state == SESSION_ENDING)
		return;
	if (kind == PRIVSEP_REPLY)
		s->deadline = clock_ms() + grace;
	s->state = SESSION_WRITING;
	if (session_send(s, kind, answer) == 0)
		return;
	if (errno == EPIPE || errno == ECONNRESET) {
		/* the session has ended, and will be reaped */
		session_lose(p, s);
		return;
	}
	logger_log(p->logger, LOG_WARNING,
		"session %d cannot take its reply: %s", (int)s->pid,
		answer->failed ? "out of memory" : strerror(errno));
	session_kill(p, s);
}

void
session_renew_cpu(struct session *s)
{
	int64_t now = clock_ms();

	if (now < s->renew_at)
		return;
	s->renew_at = now + RENEW_MS;
	session_pool_limit_cpu(s->pid);
}

void
session_has_client(struct session *s)
{
	fd_close(&s->remote);
	fd_close(&s->client);
}

/*
 * Give the client to the next spare session, in place of a session that did not
 * take its client. `dead` is true if that session has ended.
 */
static void
replace(struct parent *p, struct session *s, int client, bool dead)
{
	struct spare_session spare;
	int64_t now = clock_ms();

	if (s->pid != 0)
		logger_log(p->logger, LOG_ERR,
			"session %d does not take its client: replaced",
			(int)s->pid);
	if (s->pid != 0 && !dead) {
		kill(s->pid, SIGKILL);
		session_pool_drop_stopped(s->pool);
	}
	s->pid = 0;
	if (session_pool_take(s->pool, client, &spare) != 0) {
		/*
		 * There is no spare session. Put the client back into the
		 * channel, and try again after RETRY_MS.
		 */
		s->take_by = now + RETRY_MS;
		if (privsep_give_client(s->channel, client) != 0)
			session_lose(p, s);
		return;
	}
	fd_close(&s->channel);
	fd_close(&s->remote);
	s->pid = spare.pid;
	s->channel = spare.channel;
	s->remote = spare.remote;
	s->take_by = now + SESSION_TAKE_MS;
	/*
	 * Start the login time now, because the client could not send a request
	 * until now.
	 */
	s->login_deadline = now + p->settings->limits.login_seconds * 1000LL;
	s->deadline = s->login_deadline;
}

/*
 * Give the client of a dead or stuck session to a spare session. Return false
 * if the session has already taken its client.
 */
static bool
take_back(struct parent *p, struct session *s, bool dead)
{
	int client;

	/* Only in SESSION_NEW can the client still be in the channel. */
	if (s->remote == -1 || s->state != SESSION_NEW)
		return false;
	if (privsep_take_client(s->remote, MSG_DONTWAIT, &client) != 1) {
		fd_close(&s->remote);
		return false;
	}
	replace(p, s, client, dead);
	close(client);
	return true;
}

void
session_hung_up(struct parent *p, uint64_t number)
{
	struct session *s;

	TAILQ_FOREACH (s, &p->sessions, entry)
		if (s->number == number)
			s->gone_by = clock_ms() + GONE_MS;
}

/*
 * True if a session must stay after its client has gone, because its action is
 * detached or is just ending.
 */
static bool
is_kept(const struct session *s)
{
	return s->action != NULL &&
	       (s->action->detach || s->action->stage != ACTION_RUNNING);
}

/*
 * Kill a session that did not end after its client has hung up, unless
 * is_kept() returns true. A session that did not end is stopped, or has a bug.
 */
static void
end_gone(struct parent *p, struct session *s)
{
	s->gone_by = CLOCK_NEVER;
	if (is_kept(s) || s->killed)
		return;
	logger_log(p->logger, LOG_ERR,
		"session %d source=%s did not end after its client: killed",
		(int)s->pid, peer_text(&s->peer));
	session_kill(p, s);
}

static void
log_timeout(struct parent *p, const struct session *s, const char *text)
{
	if (penalize_may_log(p, &s->source, LOG_INFO))
		logger_log(p->logger, LOG_INFO,
			"session %d source=%s timed out: %s", (int)s->pid,
			peer_text(&s->peer), text);
}

/*
 * Refuse a client that has waited for a session until its deadline. This is not
 * a mistake of the client, and costs no penalty.
 */
static void
end_untaken(struct parent *p, struct session *s)
{
	p->counters.refused++;
	reject(&p->rejected, s->client, CODE_FAILED,
		"no session was free: try again");
	s->client = -1;
	s->state = SESSION_ENDING;
	s->deadline = 0;
}

static void
expire(struct parent *p, struct session *s)
{
	const struct settings_limits *limits = &p->settings->limits;
	unsigned seconds = s->state == SESSION_NEW || s->begun
				   ? limits->login_seconds
				   : limits->idle_seconds;
	char text[64];

	if (s->pid == 0 && s->state == SESSION_NEW) {
		end_untaken(p, s);
		return;
	}
	switch (s->state) {
	case SESSION_NEW:
	case SESSION_IDLE:
		snprintf(text, sizeof(text), "no %s within %u second%s",
			s->begun ? "line end (LF)" : "request", seconds,
			seconds == 1 ? "" : "s");
		p->counters.timeouts++;
		log_timeout(p, s, text);
		if (s->state == SESSION_NEW)
			penalize(p, s, PENALTY_TIMEOUT);
		end_silent(s, text);
		break;
	case SESSION_LOOKUP:
	case SESSION_QUEUED:
	case SESSION_WATCHING:
		/*
		 * dispatch_expire() and subscribers_expire() handle these
		 * states
		 */
		break;
	case SESSION_ENDING:
		session_kill(p, s);
		s->deadline = CLOCK_NEVER;
		break;
	default:
		p->counters.timeouts++;
		log_timeout(p, s, "the client does not read its reply");
		abandon_action(s);
		session_end(s, 0, NULL, NULL);
	}
}

int64_t
sessions_expire(struct parent *p, int64_t now)
{
	int64_t next = CLOCK_NEVER;
	struct session *s, *following;

	for (s = TAILQ_FIRST(&p->sessions); s != NULL; s = following) {
		following = TAILQ_NEXT(s, entry);
		if (s->remote != -1 && now >= s->take_by)
			take_back(p, s, false);
		if (s->pid == 0 && s->state == SESSION_ENDING) {
			free_session(p, s); /* there is no process to reap */
			continue;
		}
		if (now >= s->gone_by)
			end_gone(p, s);
		if (now >= s->deadline)
			expire(p, s);
		next = clock_earlier(next, s->deadline);
		next = clock_earlier(next, s->gone_by);
		if (!session_may_send(s, now))
			next = clock_earlier(next, request_rate_ready(s->rate));
		if (s->remote != -1)
			next = clock_earlier(next, s->take_by);
	}
	return next;
}

/* True if death by this signal means a bug in the session, or an exploit. */
static bool
is_crash(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGABRT ||
	       sig == SIGILL || sig == SIGFPE || sig == SIGSYS ||
	       sig == SIGXCPU;
}

static void
log_death(struct parent *p, const struct session *s, int sig)
{
	logger_log(p->logger, is_crash(sig) ? LOG_CRIT : LOG_WARNING,
		"session %d source=%s %s of signal %s", (int)s->pid,
		peer_text(&s->peer), is_crash(sig) ? "crashed" : "died",
		text_signal_name(sig));
	if (is_crash(sig)) {
		p->counters.crashes++;
		penalize(p, s, PENALTY_CRASH);
	}
}

/*
 * Send an error status to the client of a session that died before its first
 * message. That session may have read the request, so no other session can
 * serve the client.
 */
static void
reject_client(struct parent *p, struct session *s)
{
	if (s->client == -1 || s->peer_due)
		return; /* a status cannot be sent during a handshake */
	reject(&p->rejected, s->client, CODE_FAILED,
		"the session of this connection has died: try again");
	s->client = -1;
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
	if (take_back(p, s, true))
		return true;
	if (code != CLD_EXITED && !s->killed) {
		log_death(p, s, status);
		reject_client(p, s);
	}
	if (s->requests == 0)
		penalize_without_request(p, s);
	abandon_action(s);
	free_session(p, s);
	return true;
}
