#include "admission.h"

#include "abuse.h"
#include "clock.h"
#include "fd.h"
#include "parent.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_BATCH 4      /* at one listener, before others get a turn */
#define ACCEPT_PAUSE_MS 100 /* when there are no descriptors left */
#define LAST_MS 500         /* for sessions for the last ones */
#define ACCEPT_LOG_MS 10000 /* between two lines about that */

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
admission_room(const struct parent *p, const struct listener *l)
{
	unsigned reserved = l->unix_path != NULL ? 0 : ADMISSION_RESERVED;

	return p->nsessions + reserved < p->settings->limits.sessions;
}

static enum spares_kind
kind_of(const struct listener *l)
{
	return l->tls ? SPARES_TLS : SPARES_PLAIN;
}

bool
admission_ready(const struct parent *p, const struct listener *l)
{
	return spares_can_take(&p->spares, kind_of(l));
}

static const char *
transport_of(const struct listener *l)
{
	return l->tls ? "tls" : l->unix_path != NULL ? "unix" : "tcp";
}

static struct session *
start_session(struct parent *p, const struct listener *l, int client)
{
	struct session *s = malloc(sizeof(*s));
	int64_t now = clock_ms(), deadline;
	pid_t pid;
	int ask;

	if (s == NULL ||
		spares_take(&p->spares, l->tls ? SPARES_TLS : SPARES_PLAIN,
			client, &pid, &ask) != 0) {
		free(s);
		return NULL;
	}
	deadline = now + p->settings->limits.login_seconds * 1000LL;
	*s = (struct session){ .pid = pid,
		.ask = ask,
		.state = SESSION_NEW,
		.transport = transport_of(l),
		.since = time(NULL),
		.asked = now,
		.peer_due = l->tls,
		.login_deadline = deadline,
		.deadline = deadline };
	TAILQ_INSERT_TAIL(&p->sessions, s, entry);
	if (++p->nsessions > p->rush)
		p->rush = p->nsessions;
	return s;
}

static void
refuse(struct parent *p, int client, const struct identity *who,
	const struct identity_source *source, int code, const char *text)
{
	struct buf from = { 0 };

	p->counters.refused++;
	if (abuse_line(p, source, LOG_WARNING)) {
		identity_print(who, &from);
		audit_log(p->audit, LOG_WARNING,
			"refused source=%s result=%d text=\"%s\"",
			buf_str(&from), code, text);
		buf_free(&from);
	}
	refusals_add(&p->refusals, client, code, text);
}

static void
refuse_for(struct parent *p, int client, const struct identity *who,
	const struct identity_source *source, unsigned seconds)
{
	char text[80];

	snprintf(text, sizeof(text),
		"too many mistakes: try again in %u second%s", seconds,
		seconds == 1 ? "" : "s");
	refuse(p, client, who, source, CODE_TOO_MANY, text);
}

/* One connection: who is it, is there room for it, then a process of its own */
static void
admit(struct parent *p, const struct listener *l, int client)
{
	struct identity_source source;
	struct identity who;
	struct session *s;
	unsigned seconds;

	p->counters.connections++;
	if (l->tls)
		identity_tls(client, p->diag, &who);
	else if (l->unix_path == NULL)
		identity_tcp(client, p->diag, l->insecure, &who);
	else
		identity_unix(client, &who);
	identity_source(&who, &source);
	if ((seconds = abuse_shut_out(p, &who, &source)) > 0) {
		refuse_for(p, client, &who, &source, seconds);
	} else if (!admission_room(p, l)) {
		refuse(p, client, &who, &source, CODE_TOO_MANY,
			"too many sessions");
	} else if (count_source(p, &source) >=
		   p->settings->limits.sessions_per_source) {
		refuse(p, client, &who, &source, CODE_TOO_MANY,
			"too many sessions from this source");
	} else if ((s = start_session(p, l, client)) == NULL) {
		refuse(p, client, &who, &source, CODE_FAILED,
			"cannot start a session");
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
		if (now >= p->accept_log_again) {
			audit_log(p->audit, LOG_ERR, "accept: %s",
				strerror(errno));
			p->accept_log_again = now + ACCEPT_LOG_MS;
		}
	}
	return false;
}

/* Whether another may wait there, and be let in. */
static bool
accept_one(struct parent *p, const struct listener *l)
{
	int client;

	spares_bury(&p->spares, kind_of(l));
	if (!admission_ready(p, l) ||
		(l->unix_path != NULL && !admission_room(p, l)))
		return false;
	client = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (client == -1)
		return accept_failed(p);
	admit(p, l, client);
	return true;
}

void
admission_accept(struct parent *p, const struct listener *l)
{
	int i;

	for (i = 0; i < ACCEPT_BATCH && accept_one(p, l); i++)
		;
}

/* Until a session is ready for it: false if none will be. */
static bool
await_session(struct parent *p, const struct listener *l, int64_t deadline)
{
	while (!admission_ready(p, l)) {
		spares_order(&p->spares, p->settings->limits.spare, clock_ms(),
			p->audit);
		if (spares_wait(&p->spares, kind_of(l), deadline, p->audit) !=
			0)
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
