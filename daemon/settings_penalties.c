#include "settings_keys.h"

#include <stdlib.h>

#define DAY 86400
#define LINES_MAX 10000
#define SOURCES_MIN 16
#define SOURCES_MAX 16384 /* each is looked at to find the least */

/*
 * Who is exempt. Both lists are read twice, from the defaults and from the
 * file, since they stand in a group within a group.
 */

static void
free_users(const struct key *key, void *base)
{
	struct settings *s = base;

	kind_names.free(key, base);
	free(s->penalties.exempt_uids);
	s->penalties.exempt_users = (struct settings_names){ 0 };
	s->penalties.exempt_uids = NULL;
}

static void
read_users(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	struct settings_penalties *p = &((struct settings *)base)->penalties;
	const config_setting_t *at =
		config_setting_get_member(group, key->name);

	if (at == NULL)
		return;
	free_users(key, base);
	kind_names.read(r, group, key, base);
	p->exempt_uids = settings_uids(r, at, &p->exempt_users);
}

static void
print_users(struct printer *p, const struct key *key, const void *base)
{
	kind_names.print(p, key, base);
}

static const struct kind kind_users = { read_users, print_users, free_users };

static void
free_from(const struct key *key, void *base)
{
	struct settings_networks *from = key_field(key, base);

	free(from->v);
	*from = (struct settings_networks){ 0 };
}

static void
read_from(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	struct settings_networks *from = key_field(key, base);

	if (config_setting_get_member(group, key->name) == NULL)
		return;
	free_from(key, base);
	networks_read(r, group, key->name, &from->v, &from->n);
}

static void
print_from(struct printer *p, const struct key *key, const void *base)
{
	const struct settings_networks *from = key_field(key, base);

	print_begin(p, key->name);
	networks_print(p, from->v, from->n);
	print_end(p);
}

static const struct kind kind_from = { read_from, print_from, free_from };

#define PENALTY(field, label, kind, ...) \
	KEY(struct settings, penalties.field, label, kind, ##__VA_ARGS__)
#define NUMBER(field, low, high) \
	PENALTY(field, #field, number, .min = low, .max = high)
#define COST(cause, label) \
	PENALTY(seconds[PENALTY_##cause], label, number, .max = DAY)

static const struct key exempt_keys[] = {
	PENALTY(exempt_users, "users", users),
	PENALTY(exempt_from, "from", from),
	{ .name = NULL },
};

const struct key settings_penalty_keys[] = {
	PENALTY(enabled, "enabled", switch),
	NUMBER(min_seconds, 1, DAY),
	NUMBER(max_seconds, 1, DAY),
	COST(MALFORMED, "malformed"),
	COST(UNKNOWN, "unknown"),
	COST(UNKNOWN_KEY, "unknown_key"),
	COST(HANDSHAKE, "handshake"),
	COST(TIMEOUT, "timeout"),
	COST(CRASH, "crash"),
	NUMBER(sources, SOURCES_MIN, SOURCES_MAX),
	NUMBER(log_lines, 1, LINES_MAX),
	NUMBER(log_seconds, 1, DAY),
	PENALTY(exempt_users, "exempt", group, .keys = exempt_keys),
	{ .name = NULL },
};

void
settings_check_penalties(struct reader *r)
{
	const struct settings_penalties *p = &r->settings->penalties;
	const config_setting_t *at =
		config_lookup(&r->conf->config, "penalties");

	if (p->max_seconds < p->min_seconds)
		conf_error(r->conf, at,
			"max_seconds (%u) is below min_seconds (%u): nobody "
			"would ever be shut out",
			p->max_seconds, p->min_seconds);
}
