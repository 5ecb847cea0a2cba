#include "hosts/client_conf.h"
#include "hosts/client_conf_parse.h"
#include "hosts/hostlist.h"
#include "util/config_dir.h"
#include "util/limits.h"

#include <stdlib.h>
#include <unistd.h>

static const char machine_file[] = SYSCONFDIR "/bridle/" CLIENT_CONF_NAME;

/*
 * True if each word of the lists is a valid pattern. Otherwise report an error.
 * `lists` may be NULL.
 */
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
			"\"%s\" is no name for a group; use letters, digits, "
			"'.', '_' and '-'",
			g->name);
		return false;
	}
	if (string_map_find(&r->to->group_names, g->name, &i) &&
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
	good &= conf_string(r->conf, conf_member(group, "name"), &g->name);
	good &= conf_strings(
		r->conf, conf_member(group, "hosts"), &g->hosts, NULL);
	good &= conf_strings(
		r->conf, conf_member(group, "exclude"), &g->exclude, NULL);
	return good && check_group(r, group, g);
}

static void
read_group(struct reading *r, const config_setting_t *group)
{
	struct client_conf *c = r->to;
	struct conf_group g = { 0 }, *groups;
	int added = 0;

	groups = reading_grow(r, c->groups, c->ngroups + 1, sizeof(g));
	if (groups == NULL)
		return;
	c->groups = groups;
	if (read_group_keys(r, group, &g))
		added = string_map_add(&c->group_names, g.name, c->ngroups);
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

/*
 * Call the function `read` with each entry of the list `key`. If the file does
 * not have this list, do nothing.
 */
static void
read_each(struct reading *r, const char *key,
	void (*read)(struct reading *, const config_setting_t *))
{
	const config_setting_t *at,
		*list = conf_member(config_root_setting(&r->conf->config), key);
	unsigned i;

	if (list != NULL && !config_setting_is_list(list)) {
		conf_error(r->conf, list, "must be a list of groups, ({ … })");
		return;
	}
	for (i = 0;
		list != NULL && (at = config_setting_get_elem(list, i)) != NULL;
		i++)
		read(r, at);
}

/*
 * Read the number of a key into *out. If an earlier file has set *out, only
 * check the number.
 */
static void
read_default(struct reading *r, const config_setting_t *at, const char *key,
	unsigned max, unsigned *out)
{
	unsigned value = 0;

	conf_number(r->conf, conf_member(at, key), 1, max, &value);
	if (*out == 0)
		*out = value;
}

static void
read_default_hosts(struct reading *r, const config_setting_t *at)
{
	struct buf why = { 0 };
	char *hosts = NULL;

	if (conf_string(r->conf, conf_member(at, "hosts"), &hosts) &&
		hosts != NULL && hostlist_check(hosts, &why) != 0)
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
	read_default(r, at, "timeout", TIMEOUT_MAX, &c->default_timeout);
	read_default(r, at, "connect_timeout", TIMEOUT_MAX,
		&c->default_connect_timeout);
	read_default(r, at, "fanout", FANOUT_MAX, &c->default_fanout);
}

/*
 * Add the settings of a file. Settings of earlier files stay unchanged. Report
 * all errors in the file. Returns 0, or -1 if there was an error.
 */
static int
take_file(struct client_conf *c, struct conf *conf)
{
	static const char *const keys[] = { "hosts", "groups", "defaults",
		NULL };
	struct reading r = { c, conf, c->ngroups };

	conf_keys(conf, config_root_setting(&conf->config), keys);
	read_each(&r, "hosts", reading_host);
	read_each(&r, "groups", read_group);
	read_defaults(&r);
	return conf->failed ? -1 : 0;
}

/*
 * True if the file exists and this user has the permission to search the folder
 * of the file.
 */
static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static int
read_file(struct client_conf *c, const char *path, struct buf *error)
{
	struct conf conf;
	int result = -1;

	if (conf_open(&conf, path, error, NULL) == 0)
		result = take_file(c, &conf);
	conf_close(&conf);
	return result;
}

int
client_conf_read_text(struct client_conf *c, const char *text, const char *name,
	struct buf *error)
{
	struct conf conf;
	int result = -1;

	if (conf_open_text(&conf, text, name, error, NULL) == 0)
		result = take_file(c, &conf);
	conf_close(&conf);
	return result;
}

int
client_conf_read(struct client_conf *c, struct buf *error)
{
	struct buf own = { 0 }, ignored = { 0 };
	int result = 0;

	if (config_dir_check_old(error) != 0)
		return -1;
	/* Skip the user's file if the home folder is unknown. */
	if (config_dir_file(CLIENT_CONF_NAME, &own, &ignored) == 0 &&
		is_there(buf_str(&own)))
		result = read_file(c, buf_str(&own), error);
	if (is_there(machine_file) && read_file(c, machine_file, error) != 0)
		result = -1;
	buf_free(&own);
	buf_free(&ignored);
	return result;
}
