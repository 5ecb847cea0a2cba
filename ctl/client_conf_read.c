#include "client_conf_read.h"

#include "fanout.h"
#include "hostlist.h"

#include <stdlib.h>

const config_setting_t *
reading_member(const config_setting_t *group, const char *key)
{
	const config_setting_t *at = config_setting_get_member(group, key);

	return at ? at : group;
}

bool
reading_no_memory(struct reading *r)
{
	conf_error(r->conf, NULL, "out of memory");
	return false;
}

const config_setting_t *
reading_list(struct reading *r, const char *key)
{
	const config_setting_t *at = config_setting_get_member(
		config_root_setting(&r->conf->config), key);

	if (at == NULL || config_setting_is_list(at))
		return at;
	conf_error(r->conf, at, "must be a list of groups, ({ … })");
	return NULL;
}

void *
reading_grow(struct reading *r, void *array, size_t used, size_t size,
	const config_setting_t *list)
{
	size_t n = used + (size_t)config_setting_length(list) + 1;
	void *grown = reallocarray(array, n, size);

	if (grown == NULL)
		reading_no_memory(r);
	return grown;
}

/* Whether each word of the lists may be expanded. */
static bool
check_lists(struct reading *r, const config_setting_t *at, char *const *lists)
{
	struct buf why = { 0 };

	for (; lists != NULL && *lists != NULL; lists++) {
		if (hostlist_check(*lists, &why) == 0)
			continue;
		conf_error(r->conf, at, "%s", buf_str(&why));
		buf_free(&why);
		return false;
	}
	return true;
}

static bool
check_group(struct reading *r, const config_setting_t *group,
	const struct conf_group *g)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t i;

	if (g->name == NULL || g->hosts == NULL) {
		conf_error(r->conf, group, "has no %s",
			g->name ? "hosts" : "name");
		return false;
	}
	if (*g->name == '\0' || g->name[strspn(g->name, good)] != '\0') {
		conf_error(r->conf, reading_member(group, "name"),
			"\"%s\" is no name for a group: it has letters, "
			"digits, '.', '_' and '-'",
			g->name);
		return false;
	}
	if (name_table_find(&r->to->group_names, g->name, &i) &&
		i >= r->groups_before) {
		conf_error(r->conf, reading_member(group, "name"),
			"there are two groups \"%s\" in this file", g->name);
		return false;
	}
	return check_lists(r, reading_member(group, "hosts"), g->hosts) &&
	       check_lists(r, reading_member(group, "exclude"), g->exclude);
}

static bool
read_group_keys(
	struct reading *r, const config_setting_t *group, struct conf_group *g)
{
	static const char *const keys[] = { "name", "hosts", "exclude", NULL };
	bool good = conf_keys(r->conf, group, keys);

	if (!config_setting_is_group(group))
		return false;
	good &= conf_string(r->conf, group, "name", &g->name);
	good &= conf_strings(r->conf, group, "hosts", &g->hosts, NULL);
	good &= conf_strings(r->conf, group, "exclude", &g->exclude, NULL);
	return good && check_group(r, group, g);
}

static void
read_group(struct reading *r, const config_setting_t *group)
{
	struct client_conf *c = r->to;
	struct conf_group g = { 0 };
	int added = 0;

	if (read_group_keys(r, group, &g))
		added = name_table_add(&c->group_names, g.name, c->ngroups);
	if (added > 0) {
		c->groups[c->ngroups++] = g;
		return;
	}
	if (added < 0)
		reading_no_memory(r);
	free(g.name);
	conf_strings_free(g.hosts);
	conf_strings_free(g.exclude);
}

static void
read_groups(struct reading *r)
{
	const config_setting_t *list = reading_list(r, "groups"), *at;
	struct client_conf *c = r->to;
	struct conf_group *groups;
	unsigned i;

	if (list == NULL || (groups = reading_grow(r, c->groups, c->ngroups,
				     sizeof(*groups), list)) == NULL)
		return;
	c->groups = groups;
	for (i = 0; (at = config_setting_get_elem(list, i)) != NULL; i++)
		read_group(r, at);
}

/* A number that no file before has said; 0 stands for that. */
static void
read_default(struct reading *r, const config_setting_t *at, const char *key,
	unsigned max, unsigned *out)
{
	unsigned value = 0;

	conf_number(r->conf, at, key, 1, max, &value);
	if (*out == 0)
		*out = value;
}

static void
read_default_hosts(struct reading *r, const config_setting_t *at)
{
	struct buf why = { 0 };
	char *hosts = NULL;

	if (conf_string(r->conf, at, "hosts", &hosts) && hosts != NULL &&
		hostlist_check(hosts, &why) != 0)
		conf_error(r->conf, reading_member(at, "hosts"), "%s",
			buf_str(&why));
	if (r->to->default_hosts == NULL)
		r->to->default_hosts = hosts;
	else
		free(hosts);
	buf_free(&why);
}

static void
read_defaults(struct reading *r)
{
	static const char *const keys[] = { "hosts", "timeout",
		"connect_timeout", "fanout", NULL };
	const config_setting_t *at = config_setting_get_member(
		config_root_setting(&r->conf->config), "defaults");
	struct client_conf *c = r->to;

	if (at == NULL || !conf_keys(r->conf, at, keys))
		return;
	read_default_hosts(r, at);
	read_default(
		r, at, "timeout", CLIENT_CONF_TIMEOUT_MAX, &c->default_timeout);
	read_default(r, at, "connect_timeout", CLIENT_CONF_TIMEOUT_MAX,
		&c->default_connect_timeout);
	read_default(r, at, "fanout", FANOUT_MAX, &c->default_fanout);
}

int
client_conf_take(struct client_conf *c, struct conf *conf)
{
	static const char *const keys[] = { "hosts", "groups", "defaults",
		NULL };
	struct reading r = { c, conf, c->ngroups };

	conf_keys(conf, config_root_setting(&conf->config), keys);
	reading_hosts(&r);
	read_groups(&r);
	read_defaults(&r);
	return conf->failed ? -1 : 0;
}
