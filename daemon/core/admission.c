#include "core/admission.h"

#include "clock.h"
#include "fd.h"
#include "net/hangup.h"
#include "request/penalize.h"
#include "request/state.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* maximum number of connections from a listener in one turn */
#define ACCEPT_BATCH 4
#define ACCEPT_PAUSE_MS 100 /* pause after a failed accept(2), in ms */
/* maximum ms to wait for spare sessions when the daemon stops */
#define LAST_MS 500

static unsigned
count_source(const struct parent *p, const struct peer_source *source)
{
	const struct session *s;
	unsigned n = 0;

	TAILQ_FOREACH (s, &p->sessions, entry)
		n += memcmp(&s->source, source, sizeof(*source)) == 0;
	return n + waiting_count(&p->waiting, source);
}

static bool
has_room(const struct parent *p, unsigned reserved)
{
	return p->nsessions + reserved < p->settings->limits.sessions;
}

static struct session_pool *
pool_of(struct parent *p, const struct listener *l)
{
	return &p->pools[l->tls ? SESSION_POOL_TLS : SESSION_POOL_PLAIN];
}

/*
 * Return the number of spare sessions that must stay free for root's own
 * socket. Return 0 if there is no such socket, or only a single spare session.
 */
static unsigned
count_reserved(const struct parent *p)
{
	size_t i;

	for (i = 0; i < p->listeners.n; i++)
		if (p->listeners.v[i].root)
			return p->settings->limits.spare > 1 ? 1 : 0;
	return 0;
}

bool
admission_ready(struct parent *p, const struct listener *l)
{
	return session_pool_can_take(
		pool_of(p, l), l->root || l->tls ? 0 : count_reserved(p));
}

static struct session *
start_session(struct parent *p, struct session_pool *pool, bool tls, int client)
{
	struct session *s = malloc(sizeof(*s));
	struct spare_session spare;
	int64_t now = clock_ms(), deadline;

	if (s == NULL || session_pool_take(pool, client, &spare) != 0) {
		free(s);
		return NULL;
	}
	deadline = now + p->settings->limits.login_seconds * 1000LL;
	*s = (struct session){ .number = ++p->last_session,
		.pid = spare.pid,
		.channel = spare.channel,
		.remote = spare.remote,
		.client = -1,
		.take_by = now + SESSION_TAKE_MS,
		.pool = pool,
		.state = SESSION_NEW,
		.since = time(NULL),
		.asked = now,
		.peer_due = tls,
		.login_deadline = deadline,
		.deadline = deadline,
		.gone_by = CLOCK_NEVER };
	TAILQ_INSERT_TAIL(&p->sessions, s, entry);
	if (++p->nsessions > p->rush)
		p->rush = p->nsessions;
	return s;
}

static void
refuse(struct parent *p, struct waiting_client *c, int code, const char *text)
{
	p->counters.refused++;
	if (penalize_may_log(p, &c->source, LOG_WARNING))
		logger_log(p->logger, LOG_WARNING,
			"refused source=%s result=%d text=\"%s\"",
			peer_text(&c->peer), code, text);
	reject(&p->rejected, c->fd, code, text);
	peer_free(&c->peer);
}

static void
refuse_for(struct parent *p, struct waiting_client *c, const char *why,
	unsigned seconds)
{
	char text[96];

	snprintf(text, sizeof(text), "%s: try again in %u second%s", why,
		seconds, seconds == 1 ? "" : "s");
	refuse(p, c, CODE_TOO_MANY, text);
}

static void
let_in(struct parent *p, struct session_pool *pool, const char *transport,
	struct waiting_client *c)
{
	bool tls = pool == &p->pools[SESSION_POOL_TLS];
	struct session *s = start_session(p, pool, tls, c->fd);

	if (s == NULL) {
		refuse(p, c, CODE_FAILED, "cannot start a session");
		return;
	}
	s->transport = transport;
	s->peer = c->peer;
	s->source = c->source;
	session_join_rate(p, s);
	hangup_add(p->hangups, c->fd, s->number);
	s->client = c->fd;
}

/*
 * Admit a client of a unix socket. If other clients are queued, or the daemon
 * has no room for one more session, queue this client. Root is always admitted.
 */
static void
admit_unix(struct parent *p, struct waiting_client *c)
{
	bool full = p->waiting.n > 0 || !has_room(p, 0);

	if (peer_is_root(&c->peer) || !full)
		let_in(p, &p->pools[SESSION_POOL_PLAIN], "unix", c);
	else if (waiting_add(&p->waiting, c) != 0)
		refuse(p, c, CODE_TOO_MANY, "too many sessions");
}

static void
admit_tcp(struct parent *p, const struct listener *l, struct waiting_client *c)
{
	if (has_room(p, ADMISSION_RESERVED))
		let_in(p, pool_of(p, l), l->tls ? "tls" : "tcp", c);
	else
		refuse(p, c, CODE_TOO_MANY, "too many sessions");
}

static void
identify(struct parent *p, const struct listener *l,
	const struct net_addr *from, struct waiting_client *c)
{
	if (l->unix_path != NULL)
		peer_unix(c->fd, &c->peer);
	else if (l->tls)
		peer_tls(c->fd, p->diag, &c->peer);
	else
		peer_tcp(c->fd, p->diag, l->insecure, &c->peer);
	if (l->unix_path == NULL)
		peer_came_from(&c->peer, from);
	c->peer.no_account =
		peer_has_uid(&c->peer) &&
		!accounts_has(&p->accounts, p->settings, c->peer.uid);
	peer_source(&c->peer, &c->source);
}

/*
 * Close the connection of a client that has already left. No program would read
 * a reply, and the user of the client can no longer be found.
 */
static void
drop_gone(struct parent *p, struct waiting_client *c)
{
	if (penalize_may_log(p, &c->source, LOG_INFO))
		logger_log(p->logger, LOG_INFO, "the client is gone: source=%s",
			peer_text(&c->peer));
	close(c->fd);
	peer_free(&c->peer);
}

/* Identify the client, check the limits, and give the client to a session. */
static void
admit(struct parent *p, const struct listener *l, int client,
	const struct net_addr *from)
{
	struct waiting_client c = { .fd = client };
	unsigned seconds;

	p->counters.connections++;
	identify(p, l, from, &c);
	if (!l->tls && c.peer.gone)
		drop_gone(p, &c);
	else if (l->unlisted)
		refuse(p, &c, CODE_UNAVAILABLE, "not serving");
	else if (l->root && !peer_is_root(&c.peer))
		refuse(p, &c, CODE_NOT_ALLOWED,
			"only root may use this socket");
	else if ((seconds = penalize_blocked_seconds(p, &c.peer)) > 0)
		refuse_for(p, &c, "too many mistakes", seconds);
	else if ((seconds = penalize_token_seconds(p, &c.peer)) > 0)
		refuse_for(p, &c, "too many connections without a request",
			seconds);
	else if (!peer_is_root(&c.peer) &&
		 count_source(p, &c.source) >=
			 p->settings->limits.sessions_per_source)
		refuse(p, &c, CODE_TOO_MANY,
			"too many sessions from this source");
	else if (l->unix_path != NULL)
		admit_unix(p, &c);
	else
		admit_tcp(p, l, &c);
}

void
admission_advance(struct parent *p)
{
	struct session_pool *pool = &p->pools[SESSION_POOL_PLAIN];
	struct waiting_client c;

	while (p->waiting.n > 0 && has_room(p, 0) &&
		session_pool_can_take(pool, count_reserved(p))) {
		waiting_take(&p->waiting, &c);
		let_in(p, pool, "unix", &c);
	}
}

void
admission_stop(struct parent *p)
{
	struct waiting_client c;

	while (p->waiting.n > 0) {
		waiting_take(&p->waiting, &c);
		refuse(p, &c, CODE_UNAVAILABLE, "the daemon is stopping");
	}
}

/*
 * Handle a failed accept(2). Return true if the next accept(2) can succeed now.
 */
static bool
accept_failed(struct parent *p)
{
	int64_t now = clock_ms();

	if (errno == EINTR || errno == ECONNABORTED)
		return true;
	if (errno != EAGAIN) {
		/*
		 * The listener stays readable, so the loop would spin without a
		 * pause.
		 */
		p->accept_again = now + ACCEPT_PAUSE_MS;
		if (ratelimit_allows(&p->accept_log, now))
			logger_log(p->logger, LOG_ERR, "accept: %s",
				strerror(errno));
	}
	return false;
}

/*
 * Accept one client, and admit or refuse the client. Return true if the caller
 * can accept the next client now.
 */
static bool
accept_one(struct parent *p, const struct listener *l)
{
	struct net_addr from = { .len = sizeof(from.ss) };
	int client;

	if (!admission_ready(p, l))
		return false;
	client = accept4(
		l->fd, &from.sa, &from.len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (client == -1)
		return accept_failed(p);
	admit(p, l, client, &from);
	return true;
}

void
admission_accept(struct parent *p, const struct listener *l)
{
	uint64_t refused = p->counters.refused;
	int i;

	for (i = 0; i < ACCEPT_BATCH && p->counters.refused == refused &&
		    accept_one(p, l);
		i++)
		;
}

/*
 * Wait until a session is ready for a client of the listener. Return false if
 * no session will be ready by the deadline.
 */
static bool
await_session(struct parent *p, const struct listener *l, int64_t deadline)
{
	while (!admission_ready(p, l)) {
		session_pools_order(p->pools, p->settings->limits.spare,
			clock_ms(), p->logger);
		if (session_pool_wait(pool_of(p, l), deadline, p->logger) != 0)
			return false;
	}
	return true;
}

void
admission_accept_last(struct parent *p, const struct listener *l)
{
	int64_t deadline = clock_ms() + LAST_MS;
	int i;

	for (i = 0; i < ACCEPT_BATCH && fd_wait(l->fd, POLLIN, 0) == 0; i++)
		if (!await_session(p, l, deadline) || !accept_one(p, l))
			return;
}
