#include "complete/complete_hosts.h"

#include "cli/host_select.h"
#include "cli/options.h"
#include "hosts/client_conf.h"
#include "hosts/host.h"
#include "hosts/hostlist.h"
#include "remote/known_hosts_file.h"
#include "util/config_dir.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

/* Maximum number of bytes of all candidates, because no user reads more. */
#define OFFERED_MAX (64 * 1024)

/*
 * Add "NAME:PORT" as a candidate. If the port is the default port, or if
 * with_port is false, add only NAME. `host` is overwritten.
 */
static void
add_known_host(struct candidates *c, char *host, bool with_port)
{
	char *colon = strrchr(host, ':');
	size_t name = colon ? (size_t)(colon - host) : 0;

	if (colon == NULL)
		return;
	/*
	 * A user who has typed the colon wants the port in the candidate, too.
	 */
	if (!with_port || (strcmp(colon + 1, WIRE_PORT_TLS) == 0 &&
				  strlen(candidates_typed(c)) <= name))
		*colon = '\0';
	candidates_add(c, CANDIDATE_WHOLE, host, NULL);
}

static void
add_known_hosts(struct candidates *c, bool with_port)
{
	struct buf path = { 0 }, names = { 0 }, problem = { 0 };
	char *copy = NULL, *rest, *line;

	if (config_dir_file("known_hosts", &path, &problem) == 0 &&
		known_hosts_file_list(buf_str(&path), &names, &problem) == 0)
		copy = strdup(buf_str(&names));
	for (rest = copy; rest != NULL && (line = strsep(&rest, "\n")) != NULL;)
		add_known_host(c, line, with_port);
	free(copy);
	buf_free(&path);
	buf_free(&names);
	buf_free(&problem);
}

static bool
read_conf(struct client_conf *conf)
{
	struct buf ignored = { 0 };
	bool good = client_conf_read(conf, &ignored) == 0;

	buf_free(&ignored);
	return good;
}

static void
add_hosts(struct candidates *c, const struct client_conf *conf, bool only_tls)
{
	const struct conf_host *h;
	size_t i;

	for (i = 0; i < conf->nhosts && c->out.len < OFFERED_MAX; i++) {
		h = &conf->hosts[i];
		if (!only_tls || conf->entries[h->entry].kind == TARGET_TLS)
			candidates_add(c, CANDIDATE_WHOLE, h->name, h->address);
	}
}

/*
 * Add a group as a candidate, with the text `before` in front of the group's
 * name. The explanation shows the group's first hosts.
 */
static void
add_group(struct candidates *c, const struct conf_group *g, const char *before)
{
	struct buf name = { 0 }, about = { 0 };
	size_t i;

	buf_addf(&name, "%s%s", before, g->name);
	for (i = 0; g->hosts[i] != NULL && about.len < 60; i++)
		buf_addf(&about, "%s%s", i ? "," : "", g->hosts[i]);
	candidates_add(c, CANDIDATE_WHOLE, buf_str(&name), buf_str(&about));
	buf_free(&name);
	buf_free(&about);
}

static void
add_configured(struct candidates *c)
{
	struct client_conf conf = { 0 };
	size_t i;

	if (read_conf(&conf)) {
		for (i = 0; i < conf.ngroups; i++)
			add_group(c, &conf.groups[i], "@");
		add_hosts(c, &conf, false);
	}
	client_conf_free(&conf);
}

void
complete_hosts_names(struct candidates *c)
{
	struct client_conf conf = { 0 };
	size_t i;

	if (read_conf(&conf)) {
		for (i = 0; i < conf.ngroups; i++)
			add_group(c, &conf.groups[i], "@");
		add_hosts(c, &conf, true);
	}
	client_conf_free(&conf);
	add_known_hosts(c, true);
}

void
complete_hosts_groups(struct candidates *c)
{
	struct client_conf conf = { 0 };
	size_t i;

	if (read_conf(&conf))
		for (i = 0; i < conf.ngroups; i++)
			add_group(c, &conf.groups[i], "");
	client_conf_free(&conf);
}

/* Return the offset of the last word of a list. */
static size_t
last_word(const char *list)
{
	const char *s = list;
	size_t len;

	while (s[len = hostlist_span(s)] != '\0')
		s += len + 1;
	return (size_t)(s - list);
}

void
complete_hosts_list(struct candidates *c)
{
	candidates_keep(c, last_word(candidates_typed(c)));
	if (candidates_begin(c, "unix:")) {
		candidates_keep(c, strlen("unix:"));
		candidates_files(c);
	} else if (candidates_begin(c, "plain:")) {
		candidates_keep(c, strlen("plain:"));
		add_known_hosts(c, false);
	} else {
		add_configured(c);
		add_known_hosts(c, true);
		candidates_add(
			c, CANDIDATE_PART, "unix:", "a socket of this machine");
		candidates_add(
			c, CANDIDATE_PART, "plain:", "TCP without encryption");
	}
}

bool
complete_hosts_only(struct hosts *hosts, const char *list)
{
	struct options o = { 0 };
	struct client_conf conf = { 0 };
	struct buf ignored = { 0 };
	bool good;

	if (list != NULL)
		options_set(&o, OPT_HOSTS, list);
	good = host_select(hosts, &conf, &o, HOST_SELECT_IGNORE, &ignored) ==
		       0 &&
	       hosts->n == 1;
	client_conf_free(&conf);
	buf_free(&ignored);
	return good;
}
