#include "policy/policy.h"

#include "magic_packet.h"
#include "text.h"
#include "wire.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void refuse(struct verdict *, const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Set the verdict to CODE_NOT_ALLOWED, with a rule of the client's entry and a
 * reason.
 */
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
comes_from(const struct settings_client *c, const struct peer *peer)
{
	return c->from.n == 0 ||
	       (peer->has_addr && settings_has_address(&c->from, &peer->addr));
}

static bool
is_local(const struct peer *peer)
{
	return peer->kind == PEER_UNIX || peer->kind == PEER_LOCAL;
}

static bool
matches(const struct settings_client *c, const struct peer *peer)
{
	switch (c->match) {
	case MATCH_UNIX_USER:
		return is_local(peer) && peer->uid == c->uid;
	case MATCH_UNIX_GROUP:
		return is_local(peer) && peer_in_group(peer, c->gid);
	case MATCH_KEY:
		return peer->kind == PEER_KEY &&
		       settings_has_name(
			       &c->keys, peer->key, strlen(peer->key));
	case MATCH_ANONYMOUS:
		return peer->kind == PEER_ANONYMOUS;
	}
	return false;
}

const struct settings_client *
policy_client(const struct settings *s, const struct peer *peer)
{
	size_t i;

	/*
	 * Choose no entry while the client's groups are unknown. An earlier
	 * entry for a group may restrict this client, and must not be skipped.
	 */
	if (peer->kind == PEER_NONE || policy_needs_groups(s, peer))
		return NULL;
	for (i = 0; i < s->nclients; i++)
		if (matches(&s->clients[i], peer) &&
			comes_from(&s->clients[i], peer))
			return &s->clients[i];
	return NULL;
}

bool
policy_needs_groups(const struct settings *s, const struct peer *peer)
{
	size_t i;

	if (!is_local(peer) || peer->groups_known)
		return false;
	for (i = 0; i < s->nclients; i++) {
		if (!comes_from(&s->clients[i], peer))
			continue;
		if (s->clients[i].match == MATCH_UNIX_GROUP)
			return true;
		if (matches(&s->clients[i], peer))
			return false;
	}
	return false;
}

static bool
signal_allowed(const struct settings_client *c, int sig)
{
	return !c->signals.set || (c->signals.bits >> (sig - 1) & 1) != 0;
}

static void
decide_kill(const struct request *r, struct verdict *v)
{
	const struct settings_client *c = v->client;
	const char *name = r->strings[REQUEST_NAME];
	struct buf shown = { 0 };

	if (c->kill_names.set &&
		!settings_has_name(&c->kill_names, name, strlen(name))) {
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
		refuse(v, "kill.users", "%s may kill the processes of no user",
			c->name);
	} else {
		snprintf(v->reason, sizeof(v->reason),
			"%s may use kill; only a dry run tells which processes "
			"it may signal",
			c->name);
	}
}

static void
decide_halt(const struct request *r, struct verdict *v)
{
	const struct settings_client *c = v->client;

	if (c->modes.set && !(c->modes.bits & 1u << r->mode))
		refuse(v, "halt.modes", "%s may not %s", c->name,
			halt_mode_names[r->mode]);
}

/* True if the list has the MAC address, in any of its forms. */
static bool
has_mac(const struct settings_names *macs, const char *text)
{
	unsigned char wanted[MAC_SIZE], mac[MAC_SIZE];
	size_t i;

	if (!mac_parse(text, wanted))
		return false;
	for (i = 0; i < macs->n; i++)
		if (mac_parse(macs->v[i], mac) &&
			memcmp(mac, wanted, MAC_SIZE) == 0)
			return true;
	return false;
}

static void
decide_wake(const struct request *r, struct verdict *v)
{
	const struct settings_client *c = v->client;
	const char *mac = r->strings[REQUEST_MAC];

	if (c->wake_macs.set && strcmp(mac, REQUEST_MAC_OWN) != 0 &&
		!has_mac(&c->wake_macs, mac))
		refuse(v, "wake.macs", "%s may not wake %s", c->name, mac);
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
	command = settings_find_command(s, name);
	return command != NULL && command->secret;
}

bool
policy_may_run(const struct settings_client *c, const char *command)
{
	return !c->run.set ||
	       settings_has_name(&c->run, command, strlen(command));
}

/*
 * Decide about a `run` request. The reply to a forbidden command does not tell
 * if the command exists.
 */
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
	} else if ((v->code = command_args_bind(s, r, &v->call, &text)) !=
		   CODE_OK) {
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
policy_decide(const struct settings *s, const struct peer *peer,
	const struct request *r, int64_t now, struct verdict *v)
{
	enum verb_number number = r->explain ? VERB_EXPLAIN : r->verb;
	const char *verb = verb_by_number((long)number)->name;

	memset(v, 0, sizeof(*v));
	v->code = CODE_NO_IDENTITY;
	if (peer->kind == PEER_NONE) {
		snprintf(v->reason, sizeof(v->reason), "%s", peer->why);
		return;
	}
	if ((v->client = policy_client(s, peer)) == NULL) {
		snprintf(v->reason, sizeof(v->reason),
			policy_needs_groups(s, peer)
				? "cannot look up the groups of %s: try again "
				  "later"
				: "no entry of clients matches %s",
			peer_text(peer));
		return;
	}
	if (policy_expired(v->client, now)) {
		refuse(v, "until", "the entry %s has expired (until %s)",
			v->client->name, v->client->until_text);
		v->code = CODE_NO_IDENTITY;
		return;
	}
	v->code = CODE_OK;
	snprintf(v->rule, sizeof(v->rule), "%.64s.allow", v->client->name);
	snprintf(v->reason, sizeof(v->reason), "%s may use %s", v->client->name,
		verb);
	if (!(v->client->verbs.bits & VERB_BIT(number)))
		refuse(v, "allow", "%s may not use %s", v->client->name, verb);
	else if (number == VERB_KILL)
		decide_kill(r, v);
	else if (number == VERB_HALT)
		decide_halt(r, v);
	else if (number == VERB_RUN)
		decide_run(s, r, v);
	else if (number == VERB_WAKE)
		decide_wake(r, v);
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
	/*
	 * Protect only processes of system users, because any user may start a
	 * process called "sshd".
	 */
	if (p->uid < POLICY_FIRST_USER &&
		settings_has_name(&s->protect, p->name, p->namelen))
		return TARGET_PROTECTED;
	if (!c->kill_users.set)
		return TARGET_ALLOWED;
	for (i = 0; i < c->kill_users.n; i++)
		if (c->kill_users.uids[i] == p->uid)
			return TARGET_ALLOWED;
	return TARGET_DENIED;
}

/*
 * The maximum bytes of a list and of a name that a record of a reply can show.
 */
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

/*
 * Print a set of words. The lowest bit stands for the number `first`. name()
 * returns the word for a number.
 */
static void
print_set(struct buf *out, const char *key, const struct settings_set *set,
	int first, const char *(*name)(int))
{
	unsigned long long bits = set->bits;
	const char *before = "";

	if (!set->set)
		return;
	buf_addf(out, "%s=", key);
	for (; bits != 0; first++, bits >>= 1)
		if (bits & 1) {
			buf_addf(out, "%s%s", before, name(first));
			before = ",";
		}
	buf_addc(out, ' ');
}

static const char *
mode_name(int mode)
{
	return halt_mode_names[mode];
}

void
policy_limits(
	const struct settings_client *c, enum verb_number verb, struct buf *out)
{
	size_t start = out->len;

	if (verb == VERB_KILL) {
		print_names(out, "names", &c->kill_names);
		print_names(out, "users", &c->kill_users);
		print_set(out, "signals", &c->signals, 1, text_signal_name);
	} else if (verb == VERB_HALT) {
		print_set(out, "modes", &c->modes, 0, mode_name);
	} else if (verb == VERB_RUN) {
		print_names(out, "commands", &c->run);
	} else if (verb == VERB_WAKE) {
		print_names(out, "macs", &c->wake_macs);
	} else if (verb == VERB_SAY && !c->wall) {
		buf_adds(out, "wall=no ");
	}
	if (out->len > start)
		out->len--; /* remove the last space */
}
