#include "request/status_tables.h"

#include "clock.h"
#include "policy/policy.h"
#include "request/penalize.h"
#include "request/run_queue.h"
#include "request/state.h"
#include "wire.h"

#include "config.h"

void
status_table_status(const struct parent *p, struct buf *out)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "uptime_s", (uint64_t)(clock_boot_ms() - p->started) / 1000 },
		{ "sessions", p->nsessions },
		{ "sessions_max", p->settings->limits.sessions },
		{ "actions", p->nactions },
		{ "actions_max", p->settings->limits.actions },
		{ "queued", run_queue_length(p) },
		{ "connections", p->counters.connections },
		{ "refused", p->counters.refused },
		{ "requests", p->counters.requests },
		{ "denied", p->counters.denied },
		{ "malformed", p->counters.malformed },
		{ "failed", p->counters.failed },
		{ "bad_handshakes", p->counters.handshakes },
		{ "without_request", p->counters.without_request },
		{ "timeouts", p->counters.timeouts },
		{ "crashes", p->counters.crashes },
		{ "penalties", p->penalties.times },
		{ "penalized", penalize_blocked_sources(p) },
		{ "reloads", p->counters.reloads },
		{ "bad_reloads", p->counters.bad_reloads },
		{ "log_lost", logger_lost(p->logger) },
	};
	struct buf missing = { 0 };
	size_t i;

	wire_columns(out, verb_status_columns);
	wire_record(out);
	wire_puts(out, "version");
	wire_puts(out, PACKAGE_VERSION);
	wire_end(out);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		wire_record(out);
		wire_puts(out, rows[i].name);
		wire_putu(out, rows[i].value);
		wire_end(out);
	}
	listeners_missing(&p->listeners, p->settings, &missing);
	wire_record(out);
	wire_puts(out, "not_listening");
	wire_puts(out, missing.len > 0 ? buf_str(&missing) : "none");
	wire_end(out);
	buf_free(&missing);
}

static void
put_session(const struct session *s, int64_t now, struct buf *out)
{
	wire_record(out);
	wire_puts(out, s->name);
	wire_puts(out, peer_text(&s->peer));
	wire_puts(out, s->transport);
	wire_putu(out, (unsigned long long)s->since);
	wire_putu(out, (unsigned long long)(now - s->asked) / 1000);
	wire_putu(out, s->requests);
	wire_puts(out, s->state == SESSION_WATCHING ? "yes" : "no");
	wire_end(out);
}

void
status_table_who(const struct parent *p, struct buf *out)
{
	const struct session *s;
	int64_t now = clock_ms();

	wire_columns(out, verb_who_columns);
	/*
	 * Leave out a session whose channel is closed, because this session has
	 * ended, even if it is not reaped yet.
	 */
	TAILQ_FOREACH (s, &p->sessions, entry)
		if (s->channel != -1)
			put_session(s, now, out);
}

static void
put_verb(struct buf *out, const struct verb *verb, const struct buf *limits,
	const struct settings_command *c)
{
	wire_record(out);
	wire_putu(out, (unsigned)verb->number);
	wire_puts(out, verb->name);
	wire_put(out, limits->data, limits->len);
	wire_puts(out, c != NULL ? c->name : "");
	wire_puts(out, c != NULL && c->help != NULL ? c->help : "");
	wire_end(out);
}

/* Maximum number of bytes of argument rules in one line of a reply. */
#define RULES_MAX 3000

/* Append a record for each command that the client is allowed to run. */
static void
put_commands(const struct settings *s, const struct settings_client *c,
	struct buf *out)
{
	const struct verb *run = verb_by_number(VERB_RUN);
	struct buf rules = { 0 };
	size_t i;

	for (i = 0; i < s->ncommands; i++) {
		if (!policy_may_run(c, s->commands[i].name))
			continue;
		buf_reset(&rules);
		command_args_print(&s->commands[i], &rules);
		if (rules.len > RULES_MAX)
			rules.len = RULES_MAX;
		put_verb(out, run, &rules, &s->commands[i]);
	}
	buf_free(&rules);
}

void
status_table_verbs(const struct settings *s, const struct settings_client *c,
	struct buf *out)
{
	struct buf limits = { 0 };
	const struct verb *verb;
	int i;

	wire_columns(out, verb_verbs_columns);
	for (i = 1; i <= VERB_LAST; i++) {
		verb = verb_by_number(i);
		if (!(c->verbs.bits & VERB_BIT(i)))
			continue;
		buf_reset(&limits);
		policy_limits(c, verb->number, &limits);
		put_verb(out, verb, &limits, NULL);
		if (verb->number == VERB_RUN)
			put_commands(s, c, out);
	}
	buf_free(&limits);
}

void
status_table_explain(const struct verdict *v, struct buf *out)
{
	wire_columns(out, verb_explain_columns);
	wire_record(out);
	wire_puts(out, v->code == CODE_OK ? "allowed" : "refused");
	wire_putu(out, (unsigned)v->code);
	wire_puts(out, v->client != NULL ? v->client->name : "");
	wire_puts(out, v->rule);
	wire_puts(out, v->reason);
	wire_end(out);
}
