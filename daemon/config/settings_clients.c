#include "config/settings_schema.h"
#include "sys/account.h"
#include "tls.h"

#include <stdlib.h>
#include <string.h>

/* maximum number of keys; a client has two while the operator replaces a key */
#define KEYS_PER_CLIENT 2

/* Functions for the keys unix_user and unix_group. */

static void
read_who(struct reader *r, const config_setting_t *at, void *base)
{
	struct settings_client *client = base;

	kind_text.read(r, at, &client->who);
	if (client->who == NULL)
		return;
	client->match = r->key->match;
	if (client->match == MATCH_UNIX_USER)
		settings_user(r, at, client->who, &client->uid);
	else
		settings_group(r, at, client->who, &client->gid);
}

static void
print_who(struct printer *p, const void *base)
{
	const struct settings_client *client = base;

	if (client->match == p->key->match)
		kind_text.print(p, &client->who);
}

/*
 * Free the name of the user or group. The keys unix_user and unix_group share
 * this name, so this function is called for each of these keys. The second call
 * does nothing.
 */
static void
free_who(void *base)
{
	struct settings_client *client = base;

	free(client->who);
	client->who = NULL;
}

static const struct kind kind_who = { read_who, print_who, free_who };

/* Functions for the key "key". */

/*
 * Check that there are one or two fingerprints, each with 43 characters of
 * base64 for 256 bits.
 */
static void
check_keys(struct reader *r, const config_setting_t *at,
	const struct settings_names *keys)
{
	size_t i;

	if (keys->n < 1 || keys->n > KEYS_PER_CLIENT)
		conf_error(r->conf, at, "must name one key or two");
	for (i = 0; i < keys->n; i++)
		if (!tls_fingerprint_valid(keys->v[i]))
			conf_error(r->conf, at,
				"\"%s\" is not a fingerprint: \"SHA256:\" and "
				"43 characters of base64",
				keys->v[i]);
}

/* Functions for the key "anonymous". */

static void
read_anonymous(struct reader *r, const config_setting_t *at, void *base)
{
	struct settings_client *client = base;
	bool value = true;

	if (!conf_bool(r->conf, at, &value))
		return;
	client->match = MATCH_ANONYMOUS;
	if (!value)
		conf_error(r->conf, at,
			"can only be true: otherwise remove this key");
}

static void
print_anonymous(struct printer *p, const void *base)
{
	const struct settings_client *client = base;

	if (client->match == MATCH_ANONYMOUS)
		buf_adds(&p->out, "true");
}

static const struct kind kind_anonymous = { read_anonymous, print_anonymous,
	NULL };

#define CLIENT(field, ...) KEY(struct settings_client, field, __VA_ARGS__)

static const struct key halt_keys[] = {
	CLIENT(modes, "modes", set, .words = &mode_words),
	{ .name = NULL },
};

static const struct key wake_keys[] = {
	CLIENT(wake_macs, "macs", macs),
	{ .name = NULL },
};

static const struct key kill_keys[] = {
	CLIENT(kill_names, "names", names),
	CLIENT(kill_users, "users", users),
	CLIENT(signals, "signals", set, .words = &signal_words),
	{ .name = NULL },
};

static const struct key keys[] = {
	CLIENT(name, "name", text),
	WHOLE_KEY("unix_user", who, .match = MATCH_UNIX_USER),
	WHOLE_KEY("unix_group", who, .match = MATCH_UNIX_GROUP),
	CLIENT(keys, "key", names),
	WHOLE_KEY("anonymous", anonymous),
	CLIENT(from, "from", networks, .min = 1),
	CLIENT(verbs, "allow", set, .words = &verb_words,
		.missing = "has no allow: set allow = (\"*\") for all verbs, "
			   "or allow = () for none"),
	CLIENT(wall, "wall", flag),
	CLIENT(secret, "secret", flag),
	CLIENT(run, "run", names),
	WHOLE_KEY("halt", group, .keys = halt_keys),
	WHOLE_KEY("kill", group, .keys = kill_keys),
	WHOLE_KEY("wake", group, .keys = wake_keys),
	WHOLE_KEY("until", until),
	{ .name = NULL },
};

static const struct settings_client initial = {
	.uid = (uid_t)-1, .gid = (gid_t)-1, .until = SETTINGS_FOREVER
};

static void
check_identity(struct reader *r, const config_setting_t *at,
	struct settings_client *client)
{
	static const char *const identities[] = { "unix_user", "unix_group",
		"key", "anonymous" };
	const config_setting_t *key = conf_member(at, "key");
	size_t n = 0, i;

	for (i = 0; i < sizeof(identities) / sizeof(identities[0]); i++)
		n += conf_member(at, identities[i]) != NULL;
	if (n != 1)
		conf_error(r->conf, at,
			"%s unix_user, unix_group, key and anonymous",
			n == 0 ? "matches no client: set one of"
			       : "has more than one of");
	if (key != NULL && client->keys.set) {
		client->match = MATCH_KEY;
		check_keys(r, key, &client->keys);
	}
}

/*
 * True if a client can match both the identity and the networks of the entry.
 * The daemon knows the user of a client only at a unix socket or by TCP from
 * this machine. A unix socket has no address. An entry for a user or a group
 * therefore needs a loopback address in `from`.
 */
static bool
can_fit(const struct settings_client *client)
{
	struct net_addr v4, v6;

	if (client->from.n == 0 || (client->match != MATCH_UNIX_USER &&
					   client->match != MATCH_UNIX_GROUP))
		return true;
	net_parse("127.0.0.1:0", &v4);
	net_parse("[::1]:0", &v6);
	return settings_has_address(&client->from, &v4) ||
	       settings_has_address(&client->from, &v6);
}

/* Append a warning if the entry is legal, but probably a mistake. */
static void
check_wisdom(struct reader *r, const config_setting_t *at,
	const struct settings_client *client)
{
	static const struct {
		const char *key;
		enum verb_number verb;
	} limits[] = { { "run", VERB_RUN }, { "halt", VERB_HALT },
		{ "kill", VERB_KILL }, { "wake", VERB_WAKE } };
	const config_setting_t *limit;
	bool changes = false;
	size_t i;
	int v;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		limit = conf_member(at, limits[i].key);
		if (limit != NULL &&
			!(client->verbs.bits & VERB_BIT(limits[i].verb)))
			conf_warn(r->conf, limit,
				"has no effect: allow does not have this verb");
	}
	limit = conf_member(at, "wall");
	if (client->wall && !(client->verbs.bits & VERB_BIT(VERB_SAY)))
		conf_warn(r->conf, limit,
			"has no effect: allow does not have \"say\"");
	if (!can_fit(client))
		conf_warn(r->conf, conf_member(at, "from"),
			"users of this machine never connect from these "
			"networks");
	for (v = 1; v <= VERB_LAST; v++)
		changes |= client->verbs.bits & VERB_BIT(v) &&
			   verb_by_number(v)->changes;
	if (client->match == MATCH_KEY && conf_member(at, "from") == NULL)
		conf_warn(r->conf, at,
			"has no from: the key may be used from any address");
	if (client->match == MATCH_ANONYMOUS && changes)
		conf_warn(r->conf, at,
			"any client of an insecure listener may do more than "
			"look");
}

/* Report an error if an entry of an earlier file has the same name. */
static void
check_name(struct reader *r, const config_setting_t *at,
	const struct settings_client *client)
{
	const struct settings_client *c = r->settings->clients;
	struct buf place = { 0 };
	size_t i;

	/*
	 * If `given` is true, an earlier parse of the same text has compared
	 * all names.
	 */
	if (client->name == NULL || (r->ids != NULL && r->ids->given))
		return;
	for (i = 0; i < r->first_client; i++) {
		if (c[i].name == NULL || strcmp(c[i].name, client->name) != 0)
			continue;
		entry_place(&place, c[i].file, c[i].line);
		conf_error(r->conf, at, "has the name of the entry in %s",
			buf_str(&place));
		buf_free(&place);
		return;
	}
}

static void
check(struct reader *r, const config_setting_t *at, size_t i)
{
	struct settings_client *client = &r->settings->clients[i];

	client->file = r->file;
	client->line = entry_line(r, at);
	entry_name_check(r, at);
	check_name(r, at, client);
	check_identity(r, at, client);
	check_wisdom(r, at, client);
	settings_check_until(r, at, client);
}

const struct entries settings_client_entries = {
	.items = offsetof(struct settings, clients),
	.count = offsetof(struct settings, nclients),
	.size = sizeof(struct settings_client),
	.file = offsetof(struct settings_client, file),
	.initial = &initial,
	.keys = keys,
	.check = check,
};

/*
 * True if each address of the second list is in a network of the first list. An
 * empty list contains all addresses.
 */
static bool
from_covers(
	const struct settings_networks *a, const struct settings_networks *b)
{
	size_t i, j;

	if (a->n == 0 || b->n == 0)
		return a->n == 0;
	for (i = 0; i < b->n; i++) {
		for (j = 0; j < a->n; j++)
			if (net_block_covers(&a->v[j], &b->v[i]))
				break;
		if (j == a->n)
			return false;
	}
	return true;
}

static bool
keys_cover(const struct settings_names *a, const struct settings_names *b)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (!settings_has_name(a, b->v[i], strlen(b->v[i])))
			return false;
	return b->n > 0;
}

/* True if the entry `a` matches each client that the entry `b` matches. */
static bool
covers(const struct reader *r, const struct settings_client *a,
	const struct settings_client *b)
{
	if (!from_covers(&a->from, &b->from))
		return false;
	if (a->match == MATCH_UNIX_GROUP && b->match == MATCH_UNIX_USER)
		return settings_looks(r) && account_in_group(b->uid, a->gid);
	if (a->match != b->match)
		return false;
	if (a->match == MATCH_KEY)
		return keys_cover(&a->keys, &b->keys);
	if (a->match == MATCH_ANONYMOUS)
		return true;
	return (a->who != NULL && b->who != NULL &&
		       strcmp(a->who, b->who) == 0) ||
	       (r->ids != NULL && a->uid == b->uid && a->gid == b->gid);
}

/*
 * Append a warning for each key of this entry that an earlier entry has too.
 * Append no warning if some clients of the key can still reach this entry,
 * because `from` of the earlier entry does not contain their addresses.
 */
static void
check_keys_reached(struct reader *r, const config_setting_t *at, size_t i)
{
	const struct settings_client *c = r->settings->clients, *client = c + i;
	struct buf place = { 0 };
	size_t k;

	for (; c < client; c++)
		for (k = 0; k < client->keys.n; k++) {
			const char *key = client->keys.v[k];

			if (!settings_has_name(&c->keys, key, strlen(key)) ||
				!from_covers(&c->from, &client->from))
				continue;
			buf_reset(&place);
			entry_place(&place, c->file, c->line);
			conf_warn(r->conf, conf_member(at, "key"),
				"%s is never used here, because %s (%s) comes "
				"first and has this key",
				key, c->name != NULL ? c->name : "the entry",
				buf_str(&place));
		}
	buf_free(&place);
}

/* Append a warning if an earlier entry matches all clients of this entry. */
static void
check_reached(struct reader *r, const config_setting_t *at, size_t i)
{
	const struct settings_client *c = r->settings->clients, *client = c + i;
	struct buf place = { 0 };
	bool member;

	for (; c < client; c++) {
		if (!covers(r, c, client))
			continue;
		member = c->match != client->match;
		entry_place(&place, c->file, c->line);
		conf_warn(r->conf, at,
			"is never used, because %s (%s) comes first and "
			"matches%s%s%s: put the narrower entry first",
			c->name != NULL ? c->name : "the entry",
			buf_str(&place),
			member ? " the members of group \""
			       : " the same clients",
			member ? c->who : "", member ? "\"" : "");
		buf_free(&place);
		return;
	}
	check_keys_reached(r, at, i);
}

void
settings_check_clients(struct reader *r)
{
	const struct settings *s = r->settings;
	const config_setting_t *list =
		config_lookup(&r->conf->config, "clients");
	const struct settings_client *c;
	const config_setting_t *at;
	size_t n, i, j;

	n = list != NULL && config_setting_is_list(list)
		    ? (size_t)config_setting_length(list)
		    : 0;
	for (i = 0; i < n && r->first_client + i < s->nclients; i++) {
		c = &s->clients[r->first_client + i];
		at = config_setting_get_elem(list, (unsigned)i);
		/*
		 * Skip this check, which takes long, if no warnings are wanted.
		 */
		if (r->conf->warnings != NULL)
			check_reached(r, at, r->first_client + i);
		if (c->match == MATCH_KEY && !settings_has_tls(s))
			conf_warn(r->conf, conf_member(at, "key"),
				"no client can use this key: no listener has "
				"tls = true");
		for (j = 0; j < c->run.n; j++)
			if (settings_find_command(s, c->run.v[j]) == NULL)
				conf_error(r->conf, conf_member(at, "run"),
					"there is no \"%s\" in commands",
					c->run.v[j]);
	}
}
