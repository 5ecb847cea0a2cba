#include "core/reload_stop.h"

#include "clock.h"
#include "core/admission.h"
#include "core/expiry.h"
#include "core/resources.h"
#include "events/event_publish.h"
#include "net/polkit.h"
#include "policy/policy.h"
#include "request/handle.h"
#include "request/state.h"
#include "request/subscribers.h"
#include "wire.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

void
reload_apply(struct parent *p)
{
	if (polkit_tell(p->settings) != 0)
		logger_log(p->logger, LOG_WARNING, POLKIT_OVERRIDE ": %s",
			strerror(errno));
}

static void
log_lines(struct parent *p, int priority, struct buf *text)
{
	char *line, *next = NULL;

	buf_str(text);
	if (text->failed)
		return;
	for (line = strtok_r(text->data, "\n", &next); line != NULL;
		line = strtok_r(NULL, "\n", &next))
		logger_log(p->logger, priority, "%s", line);
}

/*
 * Put the new settings into effect as a whole. On failure, keep all previous
 * settings and return false.
 */
static bool
load_again(struct parent *p, struct buf *errors, struct buf *warnings)
{
	bool had_tls = session_pool_wanted(&p->pools[SESSION_POOL_TLS]);
	struct listeners listeners;
	struct settings *fresh;

	fresh = load_child_take(&p->load, p->settings->path, &p->accounts.files,
		errors, warnings);
	if (fresh == NULL)
		return false;
	/*
	 * A TLS fork server that already runs keeps its host key, because
	 * clients know the fingerprint of this key.
	 */
	if (resources_start_session_pool(p, fresh, errors) != 0) {
		settings_free(fresh);
		return false;
	}
	if (listeners_open(
		    &listeners, &p->listeners, fresh, geteuid(), errors) != 0) {
		if (!had_tls)
			session_pool_stop(&p->pools[SESSION_POOL_TLS]);
		settings_free(fresh);
		return false;
	}
	p->listeners = listeners;
	settings_free(p->settings);
	p->settings = fresh;
	if (!settings_has_tls(fresh))
		session_pool_stop(&p->pools[SESSION_POOL_TLS]);
	reload_apply(p);
	expiry_reset(p);
	logger_configure(p->logger, fresh->log_facility, fresh->log_level);
	return true;
}

static void
keep_history(struct parent *p)
{
	if (event_history_resize(
		    &p->history, p->settings->limits.watch_history) != 0)
		logger_log(p->logger, LOG_WARNING,
			"out of memory for limits.watch_history: the history "
			"keeps %zu records, as before",
			p->history.room);
}

/*
 * End the commands and the idle connections of each client with a key that no
 * entry of `clients` matches any more. Detached commands continue.
 */
static void
end_revoked(struct parent *p)
{
	static const char why[] = "no entry of clients matches any more";
	struct session *s;

	TAILQ_FOREACH (s, &p->sessions, entry) {
		if (s->peer.kind != PEER_KEY ||
			policy_client(p->settings, &s->peer) != NULL)
			continue;
		if (s->state == SESSION_IDLE || s->state == SESSION_QUEUED)
			session_end(s, CODE_NO_IDENTITY, why, NULL);
		else if (s->action != NULL && s->action->verb == VERB_RUN &&
			 !s->action->detach)
			action_end(s->action, CODE_NO_IDENTITY, why);
	}
}

static void
end_reload(struct parent *p)
{
	struct buf errors = { 0 }, warnings = { 0 };
	struct session *s;
	const char *remark = "";
	bool taken;

	taken = load_again(p, &errors, &warnings);
	event_publish(&p->history,
		&(struct event){ .kind = EVENT_RELOAD,
			.text = taken ? "reloaded"
				      : "not reloaded, see the log" });
	effective_reloaded(&p->effective, p->settings, p->load.began, taken,
		buf_str(&errors), p->logger);
	if (taken) {
		p->counters.reloads++;
		log_lines(p, LOG_WARNING, &warnings);
		log_lines(p, LOG_ERR, &errors);
		logger_log(p->logger, LOG_NOTICE, "reloaded %s",
			p->settings->path);
		resources_raise_descriptors(p);
		keep_history(p);
		group_lookups_clear(&p->group_lookups);
		accounts_clear(&p->accounts);
		TAILQ_FOREACH (s, &p->sessions, entry) {
			if (s->peer.kind != PEER_LOCAL)
				continue;
			/*
			 * Forget the old groups. If the next look-up fails, the
			 * peer has no groups.
			 */
			peer_forget_groups(&s->peer);
		}
		subscribers_review(p);
		end_revoked(p);
	} else {
		remark = "The last reload failed, see the log; ";
		p->counters.bad_reloads++;
		log_lines(p, LOG_ERR, &errors);
		logger_log(p->logger, LOG_ERR,
			"not reloaded: the previous settings stay in effect");
	}
	buf_free(&errors);
	buf_free(&warnings);
	sd_notify_state(&p->sd_notify, "READY=1", remark);
}

void
reload_begin(struct parent *p)
{
	/*
	 * The running load may have read the file before the last change, so a
	 * new load replaces the running load. The new load is not replaced
	 * again, because frequent signals would then prevent each load from
	 * ending.
	 */
	if (p->load.state != LOAD_NONE) {
		p->load_again = p->load_replaced;
		p->load_replaced = true;
		if (p->load_again)
			return;
	}
	sd_notify_state(&p->sd_notify, "RELOADING=1", "Reloading; ");
	load_child_start(&p->load, p->settings->path, p->conf_folder);
}

void
reload_finish(struct parent *p)
{
	if (p->load.state != LOAD_DONE)
		return;
	end_reload(p);
	p->load_replaced = false;
	if (p->load_again && !p->stopping)
		reload_begin(p);
	p->load_again = false;
}

int64_t
reload_expire(struct parent *p, int64_t now)
{
	int64_t deadline = load_child_expire(&p->load, now);

	return p->load.state == LOAD_DONE ? now : deadline;
}

/*
 * Report success for the running `halt` actions when the daemon stops, because
 * the machine is going down. The processes of these actions continue.
 */
static void
accept_halts(struct parent *p)
{
	siginfo_t done = { .si_code = CLD_EXITED };
	struct action *a, *next;

	for (a = TAILQ_FIRST(&p->actions); a != NULL; a = next) {
		next = TAILQ_NEXT(a, entry);
		if (a->verb == VERB_HALT && a->stage == ACTION_RUNNING)
			handle_action_end(p, a, &done);
	}
}

static void
end_waiting(struct parent *p, enum session_state state)
{
	struct session *s;

	TAILQ_FOREACH (s, &p->sessions, entry)
		if (s->state == state)
			session_end(s, CODE_UNAVAILABLE,
				"the daemon is stopping", NULL);
}

void
stop_begin(struct parent *p)
{
	int64_t now = clock_ms();
	size_t i;

	if (p->stopping) {
		p->stop_grace = now;
		p->stop_deadline = now; /* do not wait after a second signal */
		return;
	}
	p->stopping = true;
	load_child_end(&p->load);
	p->stop_deadline = now + p->settings->stop_seconds * 1000LL;
	p->stop_grace = now + STOP_GRACE_MS;
	if (p->stop_grace > p->stop_deadline)
		p->stop_grace = p->stop_deadline;
	logger_log(p->logger, LOG_NOTICE, "stopping");
	sd_notify_state(&p->sd_notify, "STOPPING=1", "Stopping; ");
	for (i = 0; i < p->listeners.n; i++)
		admission_accept_last(p, &p->listeners.v[i]);
	listeners_close(&p->listeners);
	admission_stop(p);
	accept_halts(p);
	subscribers_flush(p);
	end_waiting(p, SESSION_WATCHING);
	end_waiting(p, SESSION_IDLE);
	end_waiting(p, SESSION_QUEUED);
}

static void
end_all(struct parent *p, int64_t now)
{
	struct action *a;
	struct session *s;

	TAILQ_FOREACH (a, &p->actions, entry)
		action_end(a, CODE_UNAVAILABLE, "the daemon is stopping");
	if (now < p->stop_deadline + STOP_END_MS)
		return;
	TAILQ_FOREACH (s, &p->sessions, entry)
		if (!s->killed)
			session_kill(p, s);
}

int64_t
stop_expire(struct parent *p, int64_t now)
{
	if (!p->stopping)
		return CLOCK_NEVER;
	if (now < p->stop_grace)
		return p->stop_grace;
	end_waiting(p, SESSION_NEW);
	if (now < p->stop_deadline)
		return p->stop_deadline;
	end_all(p, now);
	return now + STOP_END_MS / 10;
}
