#include "core/loop.h"

#include "clock.h"
#include "core/admission.h"
#include "core/expiry.h"
#include "core/poll_set.h"
#include "core/reap.h"
#include "core/reload_stop.h"
#include "core/resources.h"
#include "net/hangup.h"
#include "request/dispatch.h"
#include "request/penalize.h"
#include "request/state.h"
#include "request/subscribers.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* maximum number of hang-ups that one turn of the loop handles */
#define HANGUPS 16
/* minimum number of simultaneous sessions after which the heap is trimmed */
#define RUSH 32

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

/*
 * Block the signals except within ppoll(), so that no signal is lost between
 * the test of its flag and the wait.
 */
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
	/* Replace the inherited signal mask. */
	sigprocmask(SIG_SETMASK, block, NULL);
	sigemptyset(outside);
}

static bool
accepts(struct parent *p, const struct listener *l, int64_t now)
{
	return now >= p->accept_again && admission_ready(p, l);
}

/*
 * Return the poll(2) events for the channel of a session. A session that has
 * reached its rate limit is not read now, but poll(2) still reports its end.
 */
static short
session_events(const struct parent *p, const struct session *s, int64_t now)
{
	short events = session_may_send(s, now) ? POLLIN : 0;

	/*
	 * A subscriber gets its pending events as soon as the channel has room.
	 */
	return subscribers_pending(p, s) ? (short)(events | POLLOUT) : events;
}

static void
collect(struct parent *p, struct poll_set *set, int64_t now)
{
	struct session *s;
	struct session_pool *pool;
	struct group_lookup *l;
	struct listener *listener;
	size_t i;

	set->n = 0;
	for (pool = p->pools; pool < p->pools + SESSION_POOL_KINDS; pool++)
		if (pool->fork_client.control != -1)
			poll_set_add(set, pool->fork_client.control, POLLIN,
				POLL_FORK_SERVER, pool);
	for (i = 0; i < p->listeners.n; i++) {
		listener = &p->listeners.v[i];
		if (accepts(p, listener, now))
			poll_set_add(set, listener->fd, POLLIN, POLL_LISTENER,
				listener);
	}
	TAILQ_FOREACH (s, &p->sessions, entry)
		if (s->channel != -1)
			poll_set_add(set, s->channel, session_events(p, s, now),
				POLL_SESSION, s);
	poll_set_add(set, p->hangups, POLLIN, POLL_HANGUP, NULL);
	for (l = p->group_lookups.v; l < p->group_lookups.v + GROUP_LOOKUPS_MAX;
		l++)
		if (l->state == LOOKUP_RUNNING)
			poll_set_add(set, l->fd, POLLIN, POLL_LOOKUP, l);
	if (p->accounts.fd != -1)
		poll_set_add(set, p->accounts.fd, POLLIN, POLL_ACCOUNTS, NULL);
	if (p->load.fd != -1)
		poll_set_add(set, p->load.fd, POLLIN, POLL_LOAD, NULL);
	for (i = 0; i < p->rejected.n; i++)
		poll_set_add(
			set, p->rejected.v[i].fd, POLLIN, POLL_REJECTED, NULL);
	for (i = 0; i < p->waiting.n; i++)
		poll_set_add(set, p->waiting.v[i].fd, 0, POLL_WAITING, NULL);
}

static void
take_hangups(struct parent *p)
{
	uint64_t number;
	int i;

	for (i = 0; i < HANGUPS && hangup_next(p->hangups, &number); i++)
		session_hung_up(p, number);
}

static void
serve(struct parent *p, const struct poll_set *set)
{
	struct session *session;
	bool answered = false;
	size_t i;

	for (i = 0; i < set->n; i++) {
		if (set->fds[i].revents == 0)
			continue;
		switch (set->owners[i].kind) {
		case POLL_SESSION:
			session = set->owners[i].object;
			if (session->channel != -1 &&
				set->fds[i].revents != POLLOUT)
				dispatch_receive(p, session);
			break;
		case POLL_FORK_SERVER:
			session_pool_read(set->owners[i].object, p->logger);
			break;
		case POLL_LOOKUP:
			answered |= group_lookups_read(
				&p->group_lookups, set->fds[i].fd);
			break;
		case POLL_ACCOUNTS:
			accounts_read(&p->accounts);
			break;
		case POLL_LOAD:
			load_child_read(&p->load);
			break;
		case POLL_REJECTED:
			reject_read(&p->rejected, set->fds[i].fd);
			break;
		case POLL_HANGUP:
			take_hangups(p);
			break;
		case POLL_WAITING:
			waiting_drop(&p->waiting, set->fds[i].fd);
			break;
		case POLL_LISTENER:
			break; /* accept_all() serves the listeners */
		}
	}
	if (answered)
		dispatch_resume(p);
}

/*
 * If `root` is true, accept clients of the listeners for root. Otherwise accept
 * clients of all other listeners.
 */
static void
accept_from(struct parent *p, const struct poll_set *set, bool root)
{
	const struct listener *l;
	size_t i;

	for (i = 0; i < set->n; i++) {
		l = set->owners[i].object;
		if (set->fds[i].revents != 0 &&
			set->owners[i].kind == POLL_LISTENER && l->root == root)
			admission_accept(p, l);
	}
}

/* Accept clients. Root's own socket comes first. */
static void
accept_all(struct parent *p, const struct poll_set *set)
{
	accept_from(p, set, true);
	accept_from(p, set, false);
}

/*
 * If many sessions have ended, return their memory to the kernel. Later forks
 * are then faster.
 */
static void
trim_heap(struct parent *p)
{
	if (p->nsessions > 0 || p->nactions > 0)
		return;
	if (p->rush >= RUSH)
		malloc_trim(0);
	p->rush = 0;
}

static void
reap_if_signalled(struct parent *p)
{
	if (!got_chld)
		return;
	got_chld = 0;
	reap_children(p);
	session_pools_retry(p->pools);
	trim_heap(p);
}

static bool
has_stopped(const struct parent *p, int64_t now)
{
	if (!p->stopping)
		return false;
	return (p->nsessions == 0 && p->nactions == 0) ||
	       now >= p->stop_deadline + 2 * STOP_END_MS;
}

/*
 * Do all work that is due. Return the time when the next work is due. The order
 * of the calls matters, because a module may create work for a later module.
 * Sessions come after the modules that end or start sessions, actions after
 * sessions, and the logger last.
 */
static int64_t
expire(struct parent *p, int64_t now)
{
	struct sd_notify_counts counts = { p->nsessions, p->counters.requests,
		p->counters.refused + p->counters.denied };
	int64_t next = p->accept_again > now ? p->accept_again : CLOCK_NEVER;
	bool given_up = false;

	next = clock_earlier(next, stop_expire(p, now));
	next = clock_earlier(next, reload_expire(p, now));
	next = clock_earlier(
		next, group_lookups_expire(&p->group_lookups, now, &given_up));
	if (given_up) {
		logger_log(p->logger, LOG_WARNING,
			"the name service does not answer");
		dispatch_resume(p);
		next = now; /* a request may have started another lookup */
	}
	next = clock_earlier(next, accounts_expire(&p->accounts, now));
	dispatch_expire(p, now);
	next = clock_earlier(next, expiry_expire(p, now));
	subscribers_expire(p, now);
	next = clock_earlier(next, sessions_expire(p, now));
	next = clock_earlier(next, penalize_expire(p, now));
	next = clock_earlier(next, actions_expire(&p->actions, now));
	next = clock_earlier(next, reject_expire(&p->rejected, now));
	next = clock_earlier(
		next, session_pools_expire(p->pools, now, p->logger));
	next = clock_earlier(
		next, sd_notify_expire(&p->sd_notify, &counts, now));
	return clock_earlier(next, logger_expire(p->logger, now));
}

/*
 * Set the flags of pending signals. If a descriptor is ready, ppoll(2) delivers
 * no signals. Without this function, a busy daemon would therefore get no
 * signals.
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
take_signals(struct parent *p)
{
	if (got_term) {
		got_term = 0;
		stop_begin(p);
	}
	if (got_hup) {
		got_hup = 0;
		if (!p->stopping)
			reload_begin(p);
	}
}

static void
report_ready(struct parent *p, int ready)
{
	struct buf where = { 0 };
	size_t i;

	for (i = 0; i < p->listeners.n; i++) {
		if (p->listeners.v[i].unlisted)
			continue;
		buf_adds(&where, where.len > 0 ? ", " : "");
		if (p->listeners.v[i].unix_path != NULL)
			buf_addf(
				&where, "unix:%s", p->listeners.v[i].unix_path);
		else
			net_format(&p->listeners.v[i].addr, &where);
	}
	logger_log(p->logger, LOG_NOTICE, "serving at %s, pid %d, uid %u",
		buf_str(&where), (int)p->pid, geteuid());
	buf_free(&where);
	sd_notify_state(&p->sd_notify, "READY=1", "");
	if (ready != -1) {
		if (write(ready, "", 1) != 1)
			logger_log(p->logger, LOG_WARNING,
				"cannot report the start: the process that "
				"started the daemon is gone");
		close(ready);
	}
}

static void
send_events(void *p)
{
	subscribers_flush(p);
}

int
loop_run(struct parent *p, int ready)
{
	struct poll_set set = { 0 };
	sigset_t handled, outside;
	int64_t now, deadline;

	set_up_signals(&handled, &outside);
	tzset(); /* read the time zone once, so that children inherit it */
	p->history.send = send_events;
	p->history.send_to = p;
	resources_raise_descriptors(p);
	reload_apply(p);
	effective_begin(&p->effective, p->settings, p->logger);
	p->expiry_looked = clock_real_ms();
	report_ready(p, ready);
	while (now = clock_ms(), !has_stopped(p, now)) {
		if (!p->stopping)
			session_pools_order(p->pools, p->settings->limits.spare,
				now, p->logger);
		deadline = expire(p, now);
		collect(p, &set, now);
		poll_set_wait(&set, now, deadline, &outside);
		fetch_signals(&handled);
		/*
		 * The order matters. Reap dead children before accepting new
		 * clients. Free objects in the set only after the set is read.
		 */
		serve(p, &set);
		reap_if_signalled(p);
		accept_all(p, &set);
		take_signals(p);
		reload_finish(p);
		admission_advance(p);
		dispatch_advance(p);
		subscribers_flush(p);
	}
	poll_set_free(&set);
	penalize_end(p);
	effective_end(&p->effective);
	logger_log(p->logger, LOG_NOTICE, "stopped");
	return 0;
}
