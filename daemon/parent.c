#include "parent.h"

#include "abuse.h"
#include "admission.h"
#include "clock.h"
#include "control.h"
#include "host_key.h"
#include "questions.h"
#include "requests.h"
#include "watches.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUSH 32 /* so many sessions at once leave a larger heap behind */

static volatile sig_atomic_t got_chld, got_hup, got_term;

static void
on_signal(int sig)
{
	if (sig == SIGCHLD)
		got_chld = 1;
	else if (sig == SIGHUP)
		got_hup = 1;
	else
		got_term = 1;
}

/* Blocked but within ppoll(), so that none falls between test and wait. */
static void
set_up_signals(sigset_t *block, sigset_t *outside)
{
	static const int handled[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT };
	struct sigaction sa = { .sa_handler = on_signal };
	size_t i;

	sigemptyset(block);
	for (i = 0; i < sizeof(handled) / sizeof(handled[0]); i++) {
		sigaction(handled[i], &sa, NULL);
		sigaddset(block, handled[i]);
	}
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
	sigprocmask(SIG_BLOCK, block, outside);
	for (i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		sigdelset(outside, handled[i]);
}

/* What is waited for, and whose it is. */
enum slot_kind {
	SLOT_LISTENER,
	SLOT_SESSION,
	SLOT_SPARES,
	SLOT_LOOKUP,
	SLOT_REFUSAL
};

struct slot {
	enum slot_kind kind;
	void *of;
};

struct slots {
	size_t n, room;
	struct pollfd *fds;
	struct slot *who;
};

static int
add(struct slots *s, int fd, enum slot_kind kind, void *of)
{
	struct pollfd *fds;
	struct slot *who;
	size_t room;

	if (s->n == s->room) {
		room = s->room ? s->room * 2 : 64;
		if ((fds = reallocarray(s->fds, room, sizeof(*fds))) == NULL)
			return -1;
		s->fds = fds;
		if ((who = reallocarray(s->who, room, sizeof(*who))) == NULL)
			return -1;
		s->who = who;
		s->room = room;
	}
	s->fds[s->n] = (struct pollfd){ fd, POLLIN, 0 };
	s->who[s->n].kind = kind;
	s->who[s->n++].of = of;
	return 0;
}

/* Those who watch get what they have missed as soon as there is room. */
static void
add_session(const struct parent *p, struct slots *s, struct session *session)
{
	if (session->ask != -1 &&
		add(s, session->ask, SLOT_SESSION, session) == 0 &&
		watches_waits(p, session))
		s->fds[s->n - 1].events |= POLLOUT;
}

/* A TCP client is refused where there is no room; a unix one waits. */
static bool
accepts(const struct parent *p, const struct listener *l, int64_t now)
{
	return now >= p->accept_again && admission_ready(p, l) &&
	       (l->unix_path == NULL || admission_room(p, l));
}

static void
collect(struct parent *p, struct slots *s, int64_t now)
{
	struct session *session;
	struct stock *stock;
	struct lookup *l;
	size_t i;

	s->n = 0;
	for (stock = p->spares.of; stock < p->spares.of + SPARES_KINDS; stock++)
		if (stock->forker.control != -1)
			add(s, stock->forker.control, SLOT_SPARES, stock);
	for (i = 0; i < p->listeners.n; i++)
		if (accepts(p, &p->listeners.v[i], now))
			add(s, p->listeners.v[i].fd, SLOT_LISTENER,
				&p->listeners.v[i]);
	TAILQ_FOREACH (session, &p->sessions, entry)
		add_session(p, s, session);
	for (l = p->lookups.v; l < p->lookups.v + LOOKUPS_MAX; l++)
		if (l->state == LOOKUP_RUNNING)
			add(s, l->fd, SLOT_LOOKUP, l);
	for (i = 0; i < p->refusals.n; i++)
		add(s, p->refusals.v[i].fd, SLOT_REFUSAL, NULL);
}

static void
serve(struct parent *p, const struct slots *s)
{
	struct session *session;
	bool answered = false;
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (s->fds[i].revents == 0)
			continue;
		if (s->who[i].kind == SLOT_SESSION) {
			session = s->who[i].of;
			if (session->ask != -1 && s->fds[i].revents != POLLOUT)
				questions_hear(p, session);
		} else if (s->who[i].kind == SLOT_SPARES) {
			spares_read(s->who[i].of, p->audit);
		} else if (s->who[i].kind == SLOT_LOOKUP) {
			answered |= lookups_read(&p->lookups, s->fds[i].fd);
		} else if (s->who[i].kind == SLOT_REFUSAL) {
			refusals_read(&p->refusals, s->fds[i].fd);
		}
	}
	if (answered)
		questions_resume(p);
}

static void
accept_all(struct parent *p, const struct slots *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->fds[i].revents != 0 && s->who[i].kind == SLOT_LISTENER)
			admission_accept(p, s->who[i].of);
}

static void
count_out(struct parent *p, struct action *a, const siginfo_t *si)
{
	if (a != NULL)
		request_action_ended(p, a, si);
	else if (!sessions_reaped(p, si->si_pid, si->si_code, si->si_status) &&
		 !lookups_reaped(&p->lookups, si->si_pid) &&
		 !spares_reaped(&p->spares, si->si_pid, si->si_code,
			 si->si_status, p->audit))
		audit_reaped(p->audit, si->si_pid);
}

/* One that is dead, but not reaped yet. */
static void
reap_one(struct parent *p, pid_t pid)
{
	struct action *a = actions_find(&p->actions, pid);
	siginfo_t si;

	/* Until it is reaped, the number of its group is nobody else's. */
	if (a != NULL)
		action_last_signal(a);
	while (waitid(P_PID, (id_t)pid, &si, WEXITED) != 0)
		if (errno != EINTR)
			return;
	count_out(p, a, &si);
}

/* What a rush has left is given back: every later fork() is the faster. */
static void
rest(struct parent *p)
{
	if (p->nsessions > 0 || p->nactions > 0)
		return;
	if (p->rush >= RUSH)
		malloc_trim(0);
	p->rush = 0;
}

static void
reap_all(struct parent *p)
{
	siginfo_t si;
	int look;

	if (!got_chld)
		return;
	got_chld = 0;
	for (;;) {
		/* Where no action runs, none is to be looked at first. */
		look = p->nactions > 0 ? WNOWAIT : 0;
		si.si_pid = 0;
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | look) != 0 ||
			si.si_pid == 0)
			break;
		if (look)
			reap_one(p, si.si_pid);
		else
			count_out(p, NULL, &si);
	}
	spares_retry(&p->spares);
	rest(p);
}

static bool
has_stopped(const struct parent *p, int64_t now)
{
	if (!p->stopping)
		return false;
	return (p->nsessions == 0 && p->nactions == 0) ||
	       now >= p->stop_deadline + 2 * CONTROL_END_MS;
}

static void
expire(struct parent *p, int64_t now)
{
	actions_expire(&p->actions, now);
	sessions_expire(p, now);
	questions_expire(p, now);
	refusals_expire(&p->refusals, now);
	audit_expire(p->audit, now);
	spares_expire(&p->spares, now, p->audit);
	abuse_expire(p, now);
	notify_counts(&p->notify,
		&(struct notify_counts){ p->nsessions, p->counters.requests,
			p->counters.refused + p->counters.denied });
	notify_expire(&p->notify, now);
	if (lookups_expire(&p->lookups, now)) {
		audit_log(p->audit, LOG_WARNING,
			"the name service does not answer");
		questions_resume(p);
	}
	control_expire(p, now);
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
next_deadline(const struct parent *p, int64_t now)
{
	int64_t first = sessions_deadline(p);

	first = earlier(first, actions_deadline(&p->actions));
	first = earlier(first, refusals_deadline(&p->refusals));
	first = earlier(first, lookups_deadline(&p->lookups));
	first = earlier(first, audit_deadline(p->audit));
	first = earlier(first, spares_deadline(&p->spares, now));
	first = earlier(first, penalties_deadline(&p->penalties));
	first = earlier(first, notify_deadline(&p->notify));
	if (p->accept_again > now)
		first = earlier(first, p->accept_again);
	return earlier(first, control_deadline(p, now));
}

/*
 * Where descriptors are ready, ppoll() returns without having let signals
 * in: under load none would ever come. So they are fetched.
 */
static void
fetch_signals(const sigset_t *handled)
{
	static const struct timespec at_once;
	int sig;

	while ((sig = sigtimedwait(handled, NULL, &at_once)) > 0)
		on_signal(sig);
}

static void
wait_for(struct slots *s, int64_t deadline, int64_t now, const sigset_t *mask)
{
	struct timespec ts, *timeout = NULL;
	int64_t left = deadline > now ? deadline - now : 0;
	size_t i;

	if (deadline != CLOCK_NEVER) {
		ts.tv_sec = left / 1000;
		ts.tv_nsec = left % 1000 * 1000000;
		timeout = &ts;
	}
	if (ppoll(s->fds, s->n, timeout, mask) >= 0)
		return;
	for (i = 0; i < s->n; i++)
		s->fds[i].revents = 0;
	if (errno != EINTR)
		poll(NULL, 0, 10); /* no memory, say: do not spin */
}

static void
take_signals(struct parent *p)
{
	if (got_term) {
		got_term = 0;
		control_stop(p);
	}
	if (got_hup) {
		got_hup = 0;
		if (!p->stopping)
			control_reload(p);
	}
}

static void
say_ready(struct parent *p, int ready)
{
	struct buf where = { 0 };
	size_t i;

	for (i = 0; i < p->listeners.n; i++) {
		buf_adds(&where, i ? ", " : "");
		if (p->listeners.v[i].unix_path != NULL)
			buf_addf(
				&where, "unix:%s", p->listeners.v[i].unix_path);
		else
			net_format(&p->listeners.v[i].addr, &where);
	}
	audit_log(p->audit, LOG_NOTICE, "serving at %s, pid %d, uid %u",
		buf_str(&where), (int)p->pid, geteuid());
	buf_free(&where);
	notify_state(&p->notify, "READY=1", "");
	if (ready != -1) {
		if (write(ready, "", 1) != 1)
			audit_log(p->audit, LOG_WARNING, "the starter is gone");
		close(ready);
	}
}

/* What so many sessions and actions need, and some for what comes and goes. */
#define DESCRIPTORS_BESIDE 128

void
parent_raise_descriptors(struct parent *p)
{
	const struct settings_limits *limits = &p->settings->limits;
	rlim_t wanted = limits->sessions + limits->actions +
			SPARES_KINDS * limits->spare + DESCRIPTORS_BESIDE;
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur >= wanted)
		return;
	l.rlim_cur = wanted < l.rlim_max ? wanted : l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur < wanted)
		audit_log(p->audit, LOG_WARNING,
			"limits.sessions needs %llu descriptors, but no more "
			"than %llu may be open: raise LimitNOFILE",
			(unsigned long long)wanted,
			(unsigned long long)l.rlim_cur);
}

int
parent_start_spares(
	struct parent *p, const struct settings *s, struct buf *errors)
{
	char key[PATH_MAX];

	if (spares_start(&p->spares, SPARES_PLAIN, NULL, errors) != 0)
		return -1;
	if (!host_key_needed(s) || spares_wanted(&p->spares, SPARES_TLS))
		return 0;
	if (host_key_prepare(s, key, errors) != 0)
		return -1;
	return spares_start(&p->spares, SPARES_TLS, key, errors);
}

int
parent_run(struct parent *p, int ready)
{
	struct slots slots = { 0 };
	sigset_t handled, outside;
	int64_t now;

	set_up_signals(&handled, &outside);
	tzset(); /* once here, not in each child */
	parent_raise_descriptors(p);
	control_settle(p);
	in_force_begin(&p->in_force, p->settings, p->audit);
	say_ready(p, ready);
	while (now = clock_ms(), !has_stopped(p, now)) {
		if (!p->stopping)
			spares_order(&p->spares, p->settings->limits.spare, now,
				p->audit);
		collect(p, &slots, now);
		wait_for(&slots, next_deadline(p, now), now, &outside);
		fetch_signals(&handled);
		/*
		 * In this order: the dead are counted out before new ones
		 * come in, and freed only when no slot is looked at any more.
		 */
		serve(p, &slots);
		reap_all(p);
		accept_all(p, &slots);
		take_signals(p);
		expire(p, clock_ms());
		questions_advance(p);
		watches_flush(p);
	}
	free(slots.fds);
	free(slots.who);
	abuse_end(p);
	in_force_end(&p->in_force);
	audit_log(p->audit, LOG_NOTICE, "stopped");
	return 0;
}
