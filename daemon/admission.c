#include "admission.h"

#include "abuse.h"
#include "clock.h"
#include "fd.h"
#include "filter.h"
#include "parent.h"
#include "sandbox.h"
#include "session.h"
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_BATCH 4      /* at one listener, before others get a turn */
#define ACCEPT_PAUSE_MS 100 /* when there are no descriptors left */
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

/* In the child: only its two descriptors are left, and it never returns. */
static void __attribute__((noreturn))
run_child(int client, int ask, struct tls_context *tls)
{
	unsigned only = (unsigned)client;

	sandbox_leave_files();
	/* The client's is above 2, see fd_std_open(). */
	if (dup2(ask, FILTER_CHANNEL) == -1)
		_exit(71);
	if (only > 3)
		close_range(3, only - 1, 0);
	close_range(only + 1, ~0u, 0);
	session_run(client, FILTER_CHANNEL, tls);
}

/*
 * What a fork costs is the pages that either side writes to afterwards: each
 * is copied. So the child writes to nothing of the parent's, _Fork(3) calls
 * no handlers, and what the parent writes to most is in no child (unshared.h).
 */

static const char *
transport_of(const struct listener *l)
{
	return l->tls ? "tls" : l->unix_path != NULL ? "unix" : "tcp";
}

static struct session *
fork_session(struct parent *p, const struct listener *l, int client)
{
	struct session *s = session_new(p);
	int64_t now, deadline;
	int pair[2];
	pid_t pid;

	if (s == NULL)
		return NULL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		goto fail;
	if ((pid = _Fork()) == 0)
		run_child(client, pair[0], l->tls ? p->tls : NULL);
	fd_close(&pair[0]);
	if (pid == -1) {
		fd_close(&pair[1]);
		goto fail;
	}
	now = clock_ms();
	deadline = now + p->settings->limits.login_seconds * 1000LL;
	*s = (struct session){ .pid = pid,
		.ask = pair[1],
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
fail:
	session_delete(p, s);
	return NULL;
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
	} else if ((s = fork_session(p, l, client)) == NULL) {
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

void
admission_accept(struct parent *p, const struct listener *l)
{
	int client, i;

	for (i = 0; i < ACCEPT_BATCH; i++) {
		if (l->unix_path != NULL && !admission_room(p, l))
			return;
		client = accept4(
			l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (client != -1)
			admit(p, l, client);
		else if (!accept_failed(p))
			return;
	}
}
