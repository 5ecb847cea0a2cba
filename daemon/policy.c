#include "policy.h"

#include "text.h"
#include "wire.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void refuse(struct verdict *, const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Not allowed, by this rule of the client's entry. */
static void
refuse(struct verdict *v, const char *rule, const char *fmt, ...)
{
	va_list ap;

	v->code = CODE_NOT_ALLOWED;
	snprintf(v->rule, sizeof(v->rule), "%.64s.%s", v->client->name, rule);
	va_start(ap, fmt);
	vsnprintf(v->reason, sizeof(v->reason), fmt, ap);
	va_end(ap);
}

static bool
in_names(const struct settings_names *names, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (strlen(names->v[i]) == len &&
			memcmp(names->v[i], s, len) == 0)
			return true;
	return false;
}

static bool
comes_from(const struct settings_client *c, const struct identity *who)
{
	size_t i;

	if (c->nfrom == 0)
		return true;
	if (!who->has_addr)
		return false;
	for (i = 0; i < c->nfrom; i++)
		if (net_block_contains(&c->from[i], &who->addr))
			return true;
	return false;
}

static bool
is_local(const struct identity *who)
{
	return who->kind == IDENTITY_UNIX || who->kind == IDENTITY_LOCAL;
}

static bool
matches(const struct settings_client *c, const struct identity *who)
{
	switch (c->match) {
	case MATCH_UNIX_USER:
		return is_local(who) && who->uid == c->uid;
	case MATCH_UNIX_GROUP:
		return is_local(who) && identity_in_group(who, c->gid);
	case MATCH_KEY:
		return who->kind == IDENTITY_KEY &&
		       in_names(&c->keys, who->key, strlen(who->key));
	case MATCH_ANONYMOUS:
		return who->kind == IDENTITY_ANONYMOUS;
	}
	return false;
}

const struct settings_client *
policy_client(const struct settings *s, const struct identity *who)
{
	size_t i;

	/*
	 * Whose groups are not known may be one whom an entry of his group
	 * restricts: no later entry may decide in its place.
	 */
	if (who->kind == IDENTITY_NONE || policy_needs_groups(s, who))
		return NULL;
	for (i = 0; i < s->nclients; i++)
		if (matches(&s->clients[i], who) &&
			comes_from(&s->clients[i], who))
			return &s->clients[i];
	return NULL;
}

bool
policy_needs_groups(const struct settings *s, const struct identity *who)
{
	size_t i;

	if (!is_local(who) || who->groups_known)
		return false;
	for (i = 0; i < s->nclients; i++) {
		if (!comes_from(&s->clients[i], who))
			continue;
		if (s->clients[i].match == MATCH_UNIX_GROUP)
			return true;
		if (matches(&s->clients[i], who))
			return false;
	}
	return false;
}

static bool
signal_allowed(const struct settings_client *c, int sig)
{
	return !c->signals_set || (c->signals >> (sig - 1) & 1) != 0;
}

static void
decide_kill(const struct request *r, struct verdict *v)
{
	const struct settings_client *c = v->client;
	const char *name = r->strings[REQUEST_NAME];
	struct buf shown = { 0 };

	if (c->kill_names.set &&
		!in_names(&c->kill_names, name, strlen(name))) {
		text_safe(&shown, name, strlen(name));
		refuse(v, "kill.names", "%s may not kill \"%.100s\"", c->name,
			buf_str(&shown));
		buf_free(&shown);
	} else if (!signal_allowed(c, r->signal)) {
		refuse(v, "kill.signals", "%s may not send %s", c->name,
			text_signal_name(r->signal));
	} else if (r->escalate != 0 && !signal_allowed(c, r->escalate)) {
		refuse(v, "kill.signals", "%s may not escalate to %s", c->name,
			text_signal_name(r->escalate));
	} else if (c->kill_users.set && c->kill_users.n == 0) {
		refuse(v, "kill.users", "%s may kill nobody's processes",
			c->name);
	}
}

static void
decide_halt(const struct request *r, struct verdict *v)
{
	const struct settings_client *c = v->client;

	if (c->modes_set && !(c->modes & 1u << r->mode))
		refuse(v, "halt.modes", "%s may not %s", c->name,
			halt_mode_names[r->mode]);
}

bool
policy_secret(const struct settings *s, const struct settings_client *c,
	const struct request *r)
{
	const char *name = r->strings[REQUEST_NAME];
	const struct settings_command *command;

	if (c != NULL && c->secret)
		return true;
	if (r->verb != VERB_RUN || name == NULL)
		return false;
	command = command_find(s, name);
	return command != NULL && command->secret;
}

bool
policy_may_run(const struct settings_client *c, const char *command)
{
	return !c->run.set || in_names(&c->run, command, strlen(command));
}

/* What it may not run, it is told nothing of, not even whether it is there. */
static void
decide_run(const struct settings *s, const struct request *r, struct verdict *v)
{
	const struct settings_client *c = v->client;
	const char *name = r->strings[REQUEST_NAME];
	struct buf text = { 0 };

	if (!policy_may_run(c, name)) {
		text_safe(&text, name, strlen(name));
		refuse(v, "run", "%s may not run \"%.100s\"", c->name,
			buf_str(&text));
	} else if ((v->code = command_bind(s, r, &v->call, &text)) != CODE_OK) {
		snprintf(v->reason, sizeof(v->reason), "%s", buf_str(&text));
		*v->rule = '\0';
		if (v->call.wrong != NULL)
			snprintf(v->rule, sizeof(v->rule),
				"commands.%.64s.args.%.40s",
				v->call.command->name, v->call.wrong->name);
	}
	buf_free(&text);
}

void
policy_decide(const struct settings *s, const struct identity *who,
	const struct request *r, struct verdict *v)
{
	enum verb_number number = r->explain ? VERB_EXPLAIN : r->verb;
	const char *verb = verb_by_number((long)number)->name;

	memset(v, 0, sizeof(*v));
	v->code = CODE_NO_IDENTITY;
	if (who->kind == IDENTITY_NONE) {
		snprintf(v->reason, sizeof(v->reason), "%s", who->why);
		return;
	}
	if ((v->client = policy_client(s, who)) == NULL) {
		struct buf source = { 0 };

		identity_print(who, &source);
		snprintf(v->reason, sizeof(v->reason),
			policy_needs_groups(s, who)
				? "the groups of %s cannot be asked for"
				: "no entry of clients matches %s",
			buf_str(&source));
		buf_free(&source);
		return;
	}
	v->code = CODE_OK;
	snprintf(v->rule, sizeof(v->rule), "%.64s.allow", v->client->name);
	snprintf(v->reason, sizeof(v->reason), "%s may use %s", v->client->name,
		verb);
	if (!(v->client->verbs & VERB_BIT(number)))
		refuse(v, "allow", "%s may not use %s", v->client->name, verb);
	else if (number == VERB_KILL)
		decide_kill(r, v);
	else if (number == VERB_HALT)
		decide_halt(r, v);
	else if (number == VERB_RUN)
		decide_run(s, r, v);
	else if (number == VERB_SAY && r->wall && !v->client->wall)
		refuse(v, "wall", "%s may not write to terminals",
			v->client->name);
}

enum policy_target
policy_target(const struct settings *s, const struct settings_client *c,
	const struct policy_process *p)
{
	size_t i;

	if (p->pid == 1 || p->kernel || p->ours)
		return TARGET_PROTECTED;
	/* Only a system user's: anyone may name himself sshd. */
	if (p->uid < POLICY_FIRST_USER &&
		in_names(&s->protect, p->name, p->namelen))
		return TARGET_PROTECTED;
	if (!c->kill_users.set)
		return TARGET_ALLOWED;
	for (i = 0; i < c->kill_users.n; i++)
		if (c->kill_uids[i] == p->uid)
			return TARGET_ALLOWED;
	return TARGET_DENIED;
}

/* As much of a list as a line of an answer has room for. */
#define NAMES_SHOWN 2000
#define NAME_SHOWN "%.255s"

static void
print_names(
	struct buf *out, const char *key, const struct settings_names *names)
{
	size_t start = out->len, i;

	if (!names->set)
		return;
	buf_addf(out, "%s=", key);
	for (i = 0; i < names->n && out->len - start < NAMES_SHOWN; i++)
		buf_addf(out, i ? "," NAME_SHOWN : NAME_SHOWN, names->v[i]);
	buf_adds(out, i < names->n ? ",… " : " ");
}

static void
print_signals(struct buf *out, const struct settings_client *c)
{
	const char *comma = "";
	int sig;

	if (!c->signals_set)
		return;
	buf_adds(out, "signals=");
	for (sig = 1; sig <= SIGRTMAX; sig++) {
		if (!signal_allowed(c, sig))
			continue;
		buf_addf(out, "%s%s", comma, text_signal_name(sig));
		comma = ",";
	}
	buf_addc(out, ' ');
}

static void
print_modes(struct buf *out, const struct settings_client *c)
{
	const char *comma = "";
	int i;

	if (!c->modes_set)
		return;
	buf_adds(out, "modes=");
	for (i = 0; i < HALT_MODES; i++) {
		if (!(c->modes & 1u << i))
			continue;
		buf_addf(out, "%s%s", comma, halt_mode_names[i]);
		comma = ",";
	}
	buf_addc(out, ' ');
}

void
policy_limits(
	const struct settings_client *c, enum verb_number verb, struct buf *out)
{
	size_t start = out->len;

	if (verb == VERB_KILL) {
		print_names(out, "names", &c->kill_names);
		print_names(out, "users", &c->kill_users);
		print_signals(out, c);
	} else if (verb == VERB_HALT) {
		print_modes(out, c);
	} else if (verb == VERB_RUN) {
		print_names(out, "commands", &c->run);
	} else if (verb == VERB_SAY && !c->wall) {
		buf_adds(out, "wall=no ");
	}
	if (out->len > start)
		out->len--; /* the last space */
}
