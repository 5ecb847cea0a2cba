#include "hosts/client_conf.h"

#include "conf.h"
#include "text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

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
client_conf_host(const struct client_conf *c, const char *name, size_t len)
{
	char folded[TARGET_NAME_MAX];
	size_t i;

	len = target_name_len(name, len);
	for (i = 0; i < len && i + 1 < sizeof(folded); i++)
		folded[i] = (char)tolower((unsigned char)name[i]);
	folded[i] = '\0';
	return i == len && string_map_find(&c->host_names, folded, &i)
		       ? &c->hosts[i]
		       : NULL;
}

const struct conf_group *
client_conf_group(const struct client_conf *c, const char *name)
{
	size_t i;

	return string_map_find(&c->group_names, name, &i) ? &c->groups[i]
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
		free(c->entries[i].broadcast);
		free(c->entries[i].wake_interface);
	}
	for (i = 0; i < c->nhosts; i++) {
		free(c->hosts[i].name);
		free(c->hosts[i].address);
		free(c->hosts[i].mac);
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
	string_map_free(&c->host_names);
	string_map_free(&c->group_names);
	memset(c, 0, sizeof(*c));
}
