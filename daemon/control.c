#include "control.h"

#include "admission.h"
#include "clock.h"
#include "host_key.h"
#include "parent.h"
#include "polkit.h"
#include "requests.h"
#include "tell.h"
#include "watches.h"
#include "wire.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

void
control_settle(struct parent *p)
{
	if (polkit_tell(p->settings) != 0)
		audit_log(p->audit, LOG_WARNING, POLKIT_OVERRIDE ": %s",
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
		audit_log(p->audit, priority, "%s", line);
}

/* Takes effect as a whole, or not at all. */
static bool
load_again(struct parent *p, struct buf *errors, struct buf *warnings)
{
	bool had_tls = spares_wanted(&p->spares, SPARES_TLS);
	struct listeners listeners;
	struct settings *fresh;

	fresh = settings_load(p->settings->path, true, errors, warnings);
	if (fresh == NULL)
		return false;
	/* A key that is in use is kept, for clients that know it. */
	if (parent_start_spares(p, fresh, errors) != 0) {
		settings_free(fresh);
		return false;
	}
	if (listeners_open(
		    &listeners, &p->listeners, fresh, geteuid(), errors) != 0) {
		if (!had_tls)
			spares_stop(&p->spares, SPARES_TLS);
		settings_free(fresh);
		return false;
	}
	p->listeners = listeners;
	settings_free(p->settings);
	p->settings = fresh;
	if (!host_key_needed(fresh))
		spares_stop(&p->spares, SPARES_TLS);
	control_settle(p);
	audit_configure(p->audit, fresh->log_facility, fresh->log_level);
	return true;
}

static void
keep_history(struct parent *p)
{
	if (history_resize(&p->history, p->settings->limits.watch_history) != 0)
		audit_log(p->audit, LOG_WARNING,
			"no memory for limits.watch_history: %zu records are "
			"kept as before",
			p->history.room);
}

void
control_reload(struct parent *p)
{
	struct buf errors = { 0 }, warnings = { 0 };
	struct session *s;
	const char *remark = "";
	bool taken;

	notify_state(&p->notify, "RELOADING=1", "Reloading; ");
	taken = load_again(p, &errors, &warnings);
	in_force_reloaded(
		&p->in_force, p->settings, taken, buf_str(&errors), p->audit);
	if (taken) {
		p->counters.reloads++;
		log_lines(p, LOG_WARNING, &warnings);
		log_lines(p, LOG_ERR, &errors);
		audit_log(
			p->audit, LOG_NOTICE, "reloaded %s", p->settings->path);
		parent_raise_descriptors(p);
		keep_history(p);
		lookups_forget(&p->lookups);
		TAILQ_FOREACH (s, &p->sessions, entry) {
			if (s->who.kind != IDENTITY_LOCAL)
				continue;
			/* Whose groups cannot be asked for again has none. */
			identity_forget_groups(&s->who);
		}
		tell_reload(p, true);
		watches_review(p);
	} else {
		remark = "The last reload failed, see the log; ";
		p->counters.bad_reloads++;
		tell_reload(p, false);
		log_lines(p, LOG_ERR, &errors);
		audit_log(p->audit, LOG_ERR,
			"not reloaded: the settings of before stay in force");
	}
	buf_free(&errors);
	buf_free(&warnings);
	notify_state(&p->notify, "READY=1", remark);
}

/*
 * A stop that comes while a halt runs is its success: the machine goes down.
 * The halt itself is left to run on.
 */
static void
accept_halts(struct parent *p)
{
	siginfo_t done = { .si_code = CLD_EXITED };
	struct action *a, *next;

	for (a = TAILQ_FIRST(&p->actions); a != NULL; a = next) {
		next = TAILQ_NEXT(a, entry);
		if (a->verb == VERB_HALT && a->stage == ACTION_RUNNING)
			request_action_ended(p, a, &done);
	}
}

static void
end_waiting(struct parent *p, enum session_state state)
{
	struct session *s;

	TAILQ_FOREACH (s, &p->sessions, entry)
		if (s->state == state)
			session_end(s, CODE_STOPPING, "the daemon is stopping");
}

void
control_stop(struct parent *p)
{
	int64_t now = clock_ms();
	size_t i;

	if (p->stopping) {
		p->stop_grace = now;
		p->stop_deadline = now; /* asked twice: at once */
		return;
	}
	p->stopping = true;
	p->stop_deadline = now + p->settings->stop_seconds * 1000LL;
	p->stop_grace = now + CONTROL_GRACE_MS;
	if (p->stop_grace > p->stop_deadline)
		p->stop_grace = p->stop_deadline;
	audit_log(p->audit, LOG_NOTICE, "stopping");
	notify_state(&p->notify, "STOPPING=1", "Stopping; ");
	for (i = 0; i < p->listeners.n; i++)
		admission_accept_last(p, &p->listeners.v[i]);
	listeners_close(&p->listeners);
	accept_halts(p);
	watches_flush(p);
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
		action_end(a, CODE_STOPPING, "the daemon is stopping");
	if (now < p->stop_deadline + CONTROL_END_MS)
		return;
	TAILQ_FOREACH (s, &p->sessions, entry)
		if (!s->killed)
			session_kill(p, s);
}

void
control_expire(struct parent *p, int64_t now)
{
	if (!p->stopping)
		return;
	if (now >= p->stop_grace)
		end_waiting(p, SESSION_NEW);
	if (now >= p->stop_deadline)
		end_all(p, now);
}

int64_t
control_deadline(const struct parent *p, int64_t now)
{
	if (!p->stopping)
		return CLOCK_NEVER;
	if (now < p->stop_grace)
		return p->stop_grace;
	if (now < p->stop_deadline)
		return p->stop_deadline;
	return now + CONTROL_END_MS / 10;
}
