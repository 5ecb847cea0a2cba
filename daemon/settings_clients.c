#include "settings_keys.h"
#include "tls.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_PER_CLIENT 2 /* the old and the new one, while one changes */

/* Who it is: a user's or group's name. */

static void
read_who(struct reader *r, const config_setting_t *group, const struct key *key,
	void *base)
{
	struct settings_client *client = base;
	const config_setting_t *at =
		config_setting_get_member(group, key->name);

	if (at == NULL)
		return;
	kind_text.read(r, group, key, base);
	if (client->who == NULL)
		return;
	client->match = key->match;
	if (key->match == MATCH_UNIX_USER)
		settings_user(r, at, client->who, &client->uid);
	else
		settings_group(r, at, client->who, &client->gid);
}

static void
print_who(struct printer *p, const struct key *key, const void *base)
{
	const struct settings_client *client = base;

	if (client->match == key->match)
		kind_text.print(p, key, base);
}

/* Two rows share the one field; the first frees it for both. */
static void
free_who(const struct key *key, void *base)
{
	struct settings_client *client = base;

	(void)key;
	free(client->who);
	client->who = NULL;
}

static const struct kind kind_who = { read_who, print_who, free_who };

/* Who it is: the fingerprint of a key. */

/* 43 characters carry 258 bits for 256, so the last has two to spare. */
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

/* Who it is: anybody. */

static void
read_anonymous(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	struct settings_client *client = base;
	bool value = true;

	if (config_setting_get_member(group, key->name) == NULL ||
		!conf_bool(r->conf, group, key->name, &value))
		return;
	client->match = MATCH_ANONYMOUS;
	if (!value)
		conf_error(r->conf, config_setting_get_member(group, key->name),
			"can only be true; leave it out otherwise");
}

static void
print_anonymous(struct printer *p, const struct key *key, const void *base)
{
	const struct settings_client *client = base;

	if (client->match != MATCH_ANONYMOUS)
		return;
	print_begin(p, key->name);
	buf_adds(&p->out, "true");
	print_end(p);
}

static const struct kind kind_anonymous = { read_anonymous, print_anonymous,
	NULL };

/* Where from. */

bool
networks_read(struct reader *r, const config_setting_t *group, const char *key,
	struct net_block **blocks, size_t *n)
{
	const config_setting_t *at = config_setting_get_member(group, key);
	char **texts = NULL;
	size_t count = 0, i;

	if (!conf_strings(r->conf, group, key, &texts, &count))
		return false;
	if ((*blocks = calloc(count + 1, sizeof(**blocks))) == NULL)
		conf_error(r->conf, at, "out of memory");
	for (i = 0; *blocks != NULL && i < count; i++)
		if (net_block_parse(texts[i], &(*blocks)[i]) != 0)
			conf_error(r->conf, at,
				"\"%s\" is not a network in numbers, as in "
				"\"10.1.0.0/16\" or \"2001:db8::/32\", with no "
				"bit set beyond its prefix",
				texts[i]);
	*n = i;
	conf_strings_free(texts);
	return true;
}

static void
read_from(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	struct settings_client *client = base;
	const config_setting_t *at =
		config_setting_get_member(group, key->name);

	if (at == NULL || !networks_read(r, group, key->name, &client->from,
				  &client->nfrom))
		return;
	/* An empty array would stand for "from anywhere". */
	if (client->nfrom == 0)
		conf_error(r->conf, at,
			"names no network; leave it out for anywhere");
}

static void
print_block(struct printer *p, const struct net_block *block)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char host[INET6_ADDRSTRLEN];

	if (block->bits >= 96 && memcmp(block->bytes, mapped, 12) == 0) {
		inet_ntop(AF_INET, block->bytes + 12, host, sizeof(host));
		buf_addf(&p->out, "\"%s/%u\"", host, block->bits - 96);
	} else {
		inet_ntop(AF_INET6, block->bytes, host, sizeof(host));
		buf_addf(&p->out, "\"%s/%u\"", host, block->bits);
	}
}

void
networks_print(struct printer *p, const struct net_block *blocks, size_t n)
{
	size_t i;

	buf_addc(&p->out, '(');
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_adds(&p->out, ", ");
		print_block(p, &blocks[i]);
	}
	buf_addc(&p->out, ')');
}

static void
print_from(struct printer *p, const struct key *key, const void *base)
{
	const struct settings_client *client = base;

	if (client->nfrom == 0)
		return;
	print_begin(p, key->name);
	networks_print(p, client->from, client->nfrom);
	print_end(p);
}

static void
free_from(const struct key *key, void *base)
{
	struct settings_client *client = base;

	(void)key;
	free(client->from);
}

static const struct kind kind_from = { read_from, print_from, free_from };

/* Whose processes may be killed. */

uid_t *
settings_uids(struct reader *r, const config_setting_t *at,
	const struct settings_names *users)
{
	uid_t *uids = calloc(users->n + 1, sizeof(*uids));
	size_t i;

	if (uids == NULL)
		conf_error(r->conf, at, "out of memory");
	for (i = 0; uids != NULL && i < users->n; i++) {
		uids[i] = (uid_t)-1;
		settings_user(r, at, users->v[i], &uids[i]);
	}
	return uids;
}

static void
read_users(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	struct settings_client *client = base;

	kind_names.read(r, group, key, base);
	if (client->kill_users.set)
		client->kill_uids = settings_uids(r,
			config_setting_get_member(group, key->name),
			&client->kill_users);
}

static void
print_users(struct printer *p, const struct key *key, const void *base)
{
	kind_names.print(p, key, base);
}

static void
free_users(const struct key *key, void *base)
{
	struct settings_client *client = base;

	kind_names.free(key, base);
	free(client->kill_uids);
}

static const struct kind kind_users = { read_users, print_users, free_users };

#define CLIENT(field, ...) KEY(struct settings_client, field, __VA_ARGS__)

static const struct key halt_keys[] = {
	CLIENT(modes, "modes", modes, .words = &mode_words),
	{ .name = NULL },
};

static const struct key kill_keys[] = {
	CLIENT(kill_names, "names", names),
	CLIENT(kill_users, "users", users),
	CLIENT(signals, "signals", signals, .words = &signal_words),
	{ .name = NULL },
};

static const struct key keys[] = {
	CLIENT(name, "name", text),
	CLIENT(who, "unix_user", who, .match = MATCH_UNIX_USER),
	CLIENT(who, "unix_group", who, .match = MATCH_UNIX_GROUP),
	CLIENT(keys, "key", names),
	CLIENT(match, "anonymous", anonymous),
	CLIENT(from, "from", from),
	CLIENT(verbs, "allow", verbs, .words = &verb_words),
	CLIENT(wall, "wall", flag),
	CLIENT(secret, "secret", flag),
	CLIENT(run, "run", names),
	CLIENT(modes, "halt", group, .keys = halt_keys),
	CLIENT(kill_names, "kill", group, .keys = kill_keys),
	{ .name = NULL },
};

static const struct settings_client initial = { .uid = (uid_t)-1,
	.gid = (gid_t)-1 };

static void
check_identity(struct reader *r, const config_setting_t *at,
	struct settings_client *client)
{
	static const char *const identities[] = { "unix_user", "unix_group",
		"key", "anonymous" };
	const config_setting_t *key = config_setting_get_member(at, "key");
	size_t n = 0, i;

	for (i = 0; i < sizeof(identities) / sizeof(identities[0]); i++)
		n += config_setting_get_member(at, identities[i]) != NULL;
	if (n != 1)
		conf_error(r->conf, at,
			"%s unix_user, unix_group, key and anonymous",
			n == 0 ? "does not say who it is, by one of"
			       : "says who it is by more than one of");
	if (key != NULL && client->keys.set) {
		client->match = MATCH_KEY;
		check_keys(r, key, &client->keys);
	}
}

/*
 * Users are known by unix sockets, which have no address, and by TCP from
 * this machine. Networks elsewhere fit none of them.
 */
static bool
can_fit(const struct settings_client *client)
{
	struct net_addr v4, v6;
	size_t i;

	if (client->nfrom == 0 || (client->match != MATCH_UNIX_USER &&
					  client->match != MATCH_UNIX_GROUP))
		return true;
	net_parse("127.0.0.1:0", &v4);
	net_parse("[::1]:0", &v6);
	for (i = 0; i < client->nfrom; i++)
		if (net_block_contains(&client->from[i], &v4) ||
			net_block_contains(&client->from[i], &v6))
			return true;
	return false;
}

/* What is legal, but probably not what was meant. */
static void
check_wisdom(struct reader *r, const config_setting_t *at,
	const struct settings_client *client)
{
	static const struct {
		const char *key;
		enum verb_number verb;
	} limits[] = { { "run", VERB_RUN }, { "halt", VERB_HALT },
		{ "kill", VERB_KILL } };
	const config_setting_t *limit;
	bool changes = false;
	size_t i;
	int v;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		limit = config_setting_get_member(at, limits[i].key);
		if (limit != NULL &&
			!(client->verbs & VERB_BIT(limits[i].verb)))
			conf_warn(r->conf, limit,
				"limits what allow does not allow");
	}
	limit = config_setting_get_member(at, "wall");
	if (client->wall && !(client->verbs & VERB_BIT(VERB_SAY)))
		conf_warn(r->conf, limit,
			"is of no use where allow has no \"say\"");
	if (!can_fit(client))
		conf_warn(r->conf, config_setting_get_member(at, "from"),
			"users of this machine do not come from there");
	for (v = 1; v <= VERB_LAST; v++)
		changes |= client->verbs & VERB_BIT(v) &&
			   verb_by_number(v)->changes;
	if (client->match == MATCH_KEY &&
		config_setting_get_member(at, "from") == NULL)
		conf_warn(r->conf, at,
			"has no from: who holds the key may come from "
			"anywhere");
	if (client->match == MATCH_ANONYMOUS && changes)
		conf_warn(r->conf, at,
			"whoever reaches an insecure listener may do more "
			"than look");
}

static void
check(struct reader *r, const config_setting_t *at, size_t i)
{
	struct settings_client *client = &r->settings->clients[i];

	client->line = entry_line(r, at);
	entry_name_check(r, at);
	check_identity(r, at, client);
	check_wisdom(r, at, client);
}

const struct entries settings_client_entries = {
	.count = offsetof(struct settings, nclients),
	.size = sizeof(struct settings_client),
	.initial = &initial,
	.keys = keys,
	.check = check,
};

static void
check_run(struct reader *r, const config_setting_t *at, const char *name)
{
	const struct settings *s = r->settings;
	size_t i;

	for (i = 0; i < s->ncommands; i++)
		if (s->commands[i].name != NULL &&
			strcmp(s->commands[i].name, name) == 0)
			return;
	conf_error(r->conf, at, "no entry of commands is called \"%s\"", name);
}

static bool
has_tls(const struct settings *s)
{
	size_t i;

	for (i = 0; i < s->nlisten; i++)
		if (s->listen[i].tls)
			return true;
	return false;
}

/* What of a client depends on the other keys. */
void
settings_check_clients(struct reader *r)
{
	const struct settings *s = r->settings;
	const config_setting_t *list =
		config_lookup(&r->conf->config, "clients");
	const config_setting_t *at;
	size_t i, j;

	for (i = 0; list != NULL && i < s->nclients; i++) {
		at = config_setting_get_elem(list, (unsigned)i);
		if (s->clients[i].match == MATCH_KEY && !has_tls(s))
			conf_warn(r->conf, config_setting_get_member(at, "key"),
				"nobody can come with a key: no listener says "
				"tls = true");
		for (j = 0; j < s->clients[i].run.n; j++)
			check_run(r, config_setting_get_member(at, "run"),
				s->clients[i].run.v[j]);
	}
}
