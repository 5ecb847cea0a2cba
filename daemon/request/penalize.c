#include "request/penalize.h"

#include "clock.h"
#include "events/event_publish.h"
#include "request/state.h"

#include <stdio.h>

/* The names of causes in the configuration. */
static const char *const cause_names[PENALTY_CAUSES] = {
	[PENALTY_MALFORMED] = "malformed",
	[PENALTY_UNKNOWN] = "unknown",
	[PENALTY_UNKNOWN_KEY] = "unknown_key",
	[PENALTY_HANDSHAKE] = "handshake",
	[PENALTY_TIMEOUT] = "timeout",
	[PENALTY_CRASH] = "crash",
};

static bool
is_exempt(const struct settings_penalties *rules, const struct peer *peer)
{
	bool user = peer_has_uid(peer);
	size_t i;

	/*
	 * Root at a unix socket must always be able to connect. A TCP
	 * connection of root may belong to a program that relays other users,
	 * and is not exempt.
	 */
	if (peer_is_root(peer))
		return true;
	for (i = 0; user && i < rules->exempt_users.n; i++)
		if (rules->exempt_users.uids[i] == peer->uid)
			return true;
	return peer->has_addr &&
	       settings_has_address(&rules->exempt_from, &peer->addr);
}

/*
 * Convert milliseconds to seconds. Round up, so that a client that waits for
 * this time is admitted.
 */
static unsigned
seconds_of(int64_t ms)
{
	return (unsigned)((ms + 999) / 1000);
}

/* Report a new block of a source to the log and to the subscribers. */
static void
report(struct parent *p, const struct session *s, enum penalty_cause cause,
	const struct peer_source *blocked, int64_t ms)
{
	const char *source = peer_source_text(blocked);
	char text[80];

	logger_log(p->logger, LOG_WARNING,
		"blocked source=%s seconds=%u cause=%s", source, seconds_of(ms),
		cause_names[cause]);
	snprintf(text, sizeof(text), "blocked for %u s: %s", seconds_of(ms),
		cause_names[cause]);
	event_publish(&p->history, &(struct event){ .kind = EVENT_PENALTY,
					   .name = s->name,
					   .source = source,
					   .text = text });
}

void
penalize(struct parent *p, const struct session *s, enum penalty_cause cause)
{
	const struct settings_penalties *rules = &p->settings->penalties;
	struct peer_source source, network;
	int64_t ms, now = clock_ms();

	if (!rules->enabled || is_exempt(rules, &s->peer))
		return;
	peer_penalty_source(&s->peer, &source);
	ms = penalty_table_add(&p->penalties, rules, &source, cause, now);
	if (ms == 0)
		return;
	report(p, s, cause, &source, ms);
	ms = penalty_table_add_network(
		&p->penalties, rules, &source, &network, now);
	if (ms > 0)
		report(p, s, cause, &network, ms);
}

void
penalize_without_request(struct parent *p, const struct session *s)
{
	const struct settings_penalties *rules = &p->settings->penalties;
	struct peer_source source;

	p->counters.without_request++;
	if (!rules->enabled || is_exempt(rules, &s->peer))
		return;
	peer_penalty_source(&s->peer, &source);
	penalty_table_take_token(&p->penalties, rules, &source, clock_ms());
}

typedef int64_t time_left(
	const struct penalties *, const struct peer_source *, int64_t now);

static unsigned
seconds_left(const struct parent *p, const struct peer *peer, time_left *left)
{
	const struct settings_penalties *rules = &p->settings->penalties;
	struct peer_source source;
	int64_t ms;

	/* Return early for each connection while no source has a penalty. */
	if (p->penalties.n == 0 || !rules->enabled)
		return 0;
	peer_penalty_source(peer, &source);
	ms = left(&p->penalties, &source, clock_ms());
	return ms == 0 || is_exempt(rules, peer) ? 0 : seconds_of(ms);
}

unsigned
penalize_blocked_seconds(const struct parent *p, const struct peer *peer)
{
	return seconds_left(p, peer, penalty_table_left);
}

unsigned
penalize_token_seconds(const struct parent *p, const struct peer *peer)
{
	return seconds_left(p, peer, penalty_table_token_due);
}

size_t
penalize_blocked_sources(const struct parent *p)
{
	return p->settings->penalties.enabled
		       ? penalty_table_count(&p->penalties, clock_ms())
		       : 0;
}

bool
penalize_may_log(
	struct parent *p, const struct peer_source *source, int priority)
{
	const struct settings_penalties *rules = &p->settings->penalties;

	/* Do not count lines that log_level suppresses anyway. */
	if (!logger_logs(p->logger, priority))
		return false;
	return !rules->enabled ||
	       penalty_table_line(&p->penalties, rules, source, clock_ms());
}

static void
log_left_out(void *arg, const struct peer_source *source, unsigned long lines,
	int64_t ms)
{
	struct parent *p = arg;

	if (source == NULL) {
		logger_log(p->logger, LOG_WARNING,
			"%lu more lines about forgotten sources were left out",
			lines);
		return;
	}
	logger_log(p->logger, LOG_WARNING,
		"%lu more line%s about source %s in %u s %s left out", lines,
		lines == 1 ? "" : "s", peer_source_text(source), seconds_of(ms),
		lines == 1 ? "was" : "were");
}

int64_t
penalize_expire(struct parent *p, int64_t now)
{
	penalty_table_expire(&p->penalties, &p->settings->penalties, now, false,
		log_left_out, p);
	return penalty_table_deadline(&p->penalties);
}

void
penalize_end(struct parent *p)
{
	penalty_table_expire(&p->penalties, &p->settings->penalties, clock_ms(),
		true, log_left_out, p);
	penalty_table_free(&p->penalties);
}
