#include "client_conf.h"

#include "client_conf_read.h"
#include "conf.h"
#include "home.h"
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char machine_file[] = SYSCONFDIR "/bridle/" CLIENT_CONF_NAME;

/* One in a folder that we may not even search is not meant for us. */
static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

int
client_conf_read_file(
	struct client_conf *c, const char *path, struct buf *error)
{
	struct conf conf;
	int result = -1;

	if (conf_open(&conf, path, error, NULL) == 0)
		result = client_conf_take(c, &conf);
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
		result = client_conf_take(c, &conf);
	conf_close(&conf);
	return result;
}

int
client_conf_read(struct client_conf *c, struct buf *error)
{
	struct buf own = { 0 }, ignored = { 0 };
	int result = 0;

	/* Without a home there is no file in it. */
	if (home_file(CLIENT_CONF_NAME, &own, &ignored) == 0 &&
		is_there(buf_str(&own)))
		result = client_conf_read_file(c, buf_str(&own), error);
	if (is_there(machine_file) &&
		client_conf_read_file(c, machine_file, error) != 0)
		result = -1;
	buf_free(&own);
	buf_free(&ignored);
	return result;
}

void
client_conf_target(enum target_kind kind, const char *address, unsigned port,
	struct buf *out)
{
	bool six = kind != TARGET_UNIX && *address != '[' &&
		   strchr(address, ':') != NULL;

	if (kind != TARGET_TLS)
		buf_adds(out, kind == TARGET_UNIX ? "unix:" : "plain:");
	buf_addf(out, six ? "[%s]" : "%s", address);
	if (port != 0)
		buf_addf(out, ":%u", port);
}

const struct conf_host *
client_conf_host(const struct client_conf *c, const char *name)
{
	char folded[TARGET_NAME_MAX];
	size_t i;

	for (i = 0; name[i] != '\0' && i + 1 < sizeof(folded); i++)
		folded[i] = (char)tolower((unsigned char)name[i]);
	folded[i] = '\0';
	return name[i] == '\0' && name_table_find(&c->host_names, folded, &i)
		       ? &c->hosts[i]
		       : NULL;
}

const struct conf_group *
client_conf_group(const struct client_conf *c, const char *name)
{
	size_t i;

	return name_table_find(&c->group_names, name, &i) ? &c->groups[i]
							  : NULL;
}

const char *
client_conf_nearest_group(const struct client_conf *c, const char *name)
{
	const char **names = calloc(c->ngroups + 1, sizeof(*names));
	const char *nearest = NULL;
	size_t i;

	if (names != NULL) {
		for (i = 0; i < c->ngroups; i++)
			names[i] = c->groups[i].name;
		nearest = text_nearest(name, names);
	}
	free(names);
	return nearest;
}

void
client_conf_free(struct client_conf *c)
{
	size_t i;

	for (i = 0; i < c->nentries; i++) {
		free(c->entries[i].identity);
		free(c->entries[i].fingerprint);
	}
	for (i = 0; i < c->nhosts; i++) {
		free(c->hosts[i].name);
		free(c->hosts[i].address);
	}
	for (i = 0; i < c->ngroups; i++) {
		free(c->groups[i].name);
		conf_strings_free(c->groups[i].hosts);
		conf_strings_free(c->groups[i].exclude);
	}
	free(c->entries);
	free(c->hosts);
	free(c->groups);
	free(c->default_hosts);
	name_table_free(&c->host_names);
	name_table_free(&c->group_names);
	memset(c, 0, sizeof(*c));
}
