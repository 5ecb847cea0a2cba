#include "abuse.h"

#include "clock.h"
#include "parent.h"
#include "tell.h"

/* As the configuration calls them. */
static const char *const cause_names[PENALTY_CAUSES] = {
	[PENALTY_MALFORMED] = "malformed",
	[PENALTY_UNKNOWN] = "unknown",
	[PENALTY_UNKNOWN_KEY] = "unknown_key",
	[PENALTY_HANDSHAKE] = "handshake",
	[PENALTY_TIMEOUT] = "timeout",
	[PENALTY_CRASH] = "crash",
};

static bool
is_exempt(const struct settings_penalties *rules, const struct identity *who)
{
	bool user = who->kind == IDENTITY_UNIX || who->kind == IDENTITY_LOCAL ||
		    who->local;
	size_t i;

	/*
	 * Somebody has to get in whatever happens. By TCP it may be a program
	 * of root's that relays whom it serves: he is no better than others.
	 */
	if (who->kind == IDENTITY_UNIX && who->uid == 0)
		return true;
	for (i = 0; user && i < rules->exempt_users.n; i++)
		if (rules->exempt_uids[i] == who->uid)
			return true;
	for (i = 0; who->has_addr && i < rules->exempt_from.n; i++)
		if (net_block_contains(&rules->exempt_from.v[i], &who->addr))
			return true;
	return false;
}

/* The last second counts whole: who waits for so long comes in. */
static unsigned
seconds_of(int64_t ms)
{
	return (unsigned)((ms + 999) / 1000);
}

void
abuse_offence(
	struct parent *p, const struct session *s, enum penalty_cause cause)
{
	const struct settings_penalties *rules = &p->settings->penalties;
	struct buf source = { 0 };
	int64_t ms;

	if (!rules->enabled || is_exempt(rules, &s->who))
		return;
	ms = penalties_add(&p->penalties, rules, &s->source, cause, clock_ms());
	if (ms == 0)
		return;
	identity_source_print(&s->source, &source);
	audit_log(p->audit, LOG_WARNING,
		"shut out source=%s seconds=%u cause=%s", buf_str(&source),
		seconds_of(ms), cause_names[cause]);
	tell_penalty(
		p, s, buf_str(&source), seconds_of(ms), cause_names[cause]);
	buf_free(&source);
}

unsigned
abuse_shut_out(const struct parent *p, const struct identity *who,
	const struct identity_source *source)
{
	const struct settings_penalties *rules = &p->settings->penalties;
	int64_t ms;

	/* Cheap where nobody has misbehaved, which each connection pays for. */
	if (p->penalties.n == 0 || !rules->enabled)
		return 0;
	ms = penalties_left(&p->penalties, source, clock_ms());
	return ms == 0 || is_exempt(rules, who) ? 0 : seconds_of(ms);
}

size_t
abuse_count(const struct parent *p)
{
	return p->settings->penalties.enabled
		       ? penalties_count(&p->penalties, clock_ms())
		       : 0;
}

bool
abuse_line(struct parent *p, const struct identity_source *source, int priority)
{
	const struct settings_penalties *rules = &p->settings->penalties;

	/* What would not be in the log is not left out of it either. */
	if (!audit_logs(p->audit, priority))
		return false;
	return !rules->enabled ||
	       penalties_line(&p->penalties, rules, source, clock_ms());
}

static void
say(void *arg, const struct identity_source *source, unsigned long lines,
	int64_t ms)
{
	struct parent *p = arg;
	struct buf name = { 0 };

	if (source == NULL) {
		audit_log(p->audit, LOG_WARNING,
			"%lu more lines about sources that were forgotten "
			"since were left out",
			lines);
		return;
	}
	identity_source_print(source, &name);
	audit_log(p->audit, LOG_WARNING,
		"%lu more line%s about source %s in %u s %s left out", lines,
		lines == 1 ? "" : "s", buf_str(&name), seconds_of(ms),
		lines == 1 ? "was" : "were");
	buf_free(&name);
}

void
abuse_expire(struct parent *p, int64_t now)
{
	penalties_expire(
		&p->penalties, &p->settings->penalties, now, false, say, p);
}

void
abuse_end(struct parent *p)
{
	penalties_expire(&p->penalties, &p->settings->penalties, clock_ms(),
		true, say, p);
	penalties_free(&p->penalties);
}
