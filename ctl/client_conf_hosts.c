#include "client_conf_read.h"
#include "home.h"
#include "hostlist.h"
#include "tls.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Names that a pattern stands for. */
struct strings {
	char **v;
	size_t n;
};

static int
keep_string(void *arg, const char *text)
{
	struct strings *strings = arg;

	if ((strings->v[strings->n] = strdup(text)) == NULL)
		return 1;
	strings->n++;
	return 0;
}

static void
free_strings(struct strings *strings)
{
	while (strings->n > 0)
		free(strings->v[--strings->n]);
	free(strings->v);
	strings->v = NULL;
}

static bool
expand(struct reading *r, const config_setting_t *at, const char *pattern,
	struct strings *out)
{
	struct buf why = { 0 };
	size_t count;
	bool good = false;

	if (hostlist_count(pattern, &count, &why) != 0)
		conf_error(r->conf, at, "%s", buf_str(&why));
	else if (count > HOSTLIST_MAX - r->to->nhosts)
		conf_error(r->conf, at, "these are more than %d hosts in all",
			HOSTLIST_MAX);
	else if ((out->v = calloc(count, sizeof(*out->v))) == NULL ||
		 hostlist_expand(pattern, keep_string, out, &why) != 0)
		reading_no_memory(r);
	else
		good = true;
	buf_free(&why);
	return good;
}

/* Whether it may stand after -H as a host's name alone. */
static bool
check_name(struct reading *r, const config_setting_t *at, const char *name)
{
	struct buf why = { 0 };
	struct target t;
	bool alone = strchr(name, ':') == NULL;
	bool good = alone && targets_parse(name, &t, &why) == 0;

	if (!alone)
		conf_error(r->conf, at,
			"'%s' is no name alone: its port stands in port, how "
			"it is reached in transport and address",
			name);
	else if (!good)
		conf_error(r->conf, at, "%s", buf_str(&why));
	buf_free(&why);
	return good;
}

/* A host's address, or its name where that is the address. */
static bool
check_address(struct reading *r, const config_setting_t *at,
	enum target_kind kind, const char *address)
{
	struct buf why = { 0 }, text = { 0 };
	const char *colon = strchr(address, ':');
	struct target t;
	bool good = kind == TARGET_UNIX || colon == NULL ||
		    strchr(colon + 1, ':') != NULL;

	client_conf_target(kind, address, 0, &text);
	if (!good)
		conf_error(r->conf, at,
			"'%s' is no address alone: its port stands in port, "
			"how it is reached in transport",
			address);
	else if (targets_parse(buf_str(&text), &t, &why) != 0) {
		conf_error(r->conf, at, "%s", buf_str(&why));
		good = false;
	}
	buf_free(&why);
	buf_free(&text);
	return good;
}

static bool
read_transport(
	struct reading *r, const config_setting_t *group, struct conf_entry *e)
{
	char *name = NULL;
	bool good = true;

	e->kind = TARGET_TLS;
	if (!conf_string(r->conf, group, "transport", &name))
		return false;
	if (name != NULL && strcmp(name, "plain") == 0)
		e->kind = TARGET_PLAIN;
	else if (name != NULL && strcmp(name, "unix") == 0)
		e->kind = TARGET_UNIX;
	else if (name != NULL && strcmp(name, "tls") != 0) {
		conf_error(r->conf, reading_member(group, "transport"),
			"\"%s\" is no transport: tls, plain or unix", name);
		good = false;
	}
	free(name);
	return good;
}

/* "~/" is the user's home, as a shell has it. */
static bool
read_identity(
	struct reading *r, const config_setting_t *group, struct conf_entry *e)
{
	struct buf path = { 0 }, why = { 0 };
	char *text = NULL;
	bool good = conf_string(r->conf, group, "identity", &text);

	if (good && text != NULL && strncmp(text, "~/", 2) == 0) {
		good = home_path(text + 2, &path, &why) == 0;
		if (!good)
			conf_error(r->conf, reading_member(group, "identity"),
				"%s", buf_str(&why));
		free(text);
		text = strdup(buf_str(&path));
	}
	e->identity = text;
	buf_free(&path);
	buf_free(&why);
	return good;
}

/* What is about keys or ports would be thought to be of use. */
static bool
check_fit(struct reading *r, const config_setting_t *group,
	const struct conf_entry *e)
{
	static const char *const of_tls[] = { "fingerprint", "identity" };
	bool good = true;
	size_t i;

	for (i = 0; i < 2 && e->kind != TARGET_TLS; i++) {
		if (config_setting_get_member(group, of_tls[i]) == NULL)
			continue;
		conf_error(r->conf, reading_member(group, of_tls[i]),
			"is for TLS, and the transport is another");
		good = false;
	}
	if (e->kind == TARGET_UNIX && e->port != 0) {
		conf_error(r->conf, reading_member(group, "port"),
			"a unix socket has none");
		good = false;
	}
	if (e->fingerprint != NULL && !tls_fingerprint_valid(e->fingerprint)) {
		conf_error(r->conf, reading_member(group, "fingerprint"),
			"\"%s\" is not a fingerprint: \"SHA256:\" and 43 "
			"characters of base64",
			e->fingerprint);
		good = false;
	}
	return good;
}

static bool
read_entry(
	struct reading *r, const config_setting_t *group, struct conf_entry *e)
{
	bool good = read_transport(r, group, e);

	good &= conf_number(r->conf, group, "port", 1, 65535, &e->port);
	good &= conf_number(r->conf, group, "timeout", 1,
		CLIENT_CONF_TIMEOUT_MAX, &e->timeout);
	good &= conf_string(r->conf, group, "fingerprint", &e->fingerprint);
	good &= read_identity(r, group, e);
	return good && check_fit(r, group, e);
}

/* Takes over the strings, unless the name is known already. */
static bool
add_host(struct reading *r, char **name, char **address)
{
	struct client_conf *c = r->to;
	struct conf_host *h = &c->hosts[c->nhosts];
	char *s;
	int added;

	for (s = *name; *s != '\0'; s++)
		*s = (char)tolower((unsigned char)*s);
	added = name_table_add(&c->host_names, *name, c->nhosts);
	if (added < 0)
		return reading_no_memory(r);
	if (added == 0)
		return true;
	*h = (struct conf_host){ *name, NULL, c->nentries - 1 };
	*name = NULL;
	if (address != NULL) {
		h->address = *address;
		*address = NULL;
	}
	c->nhosts++;
	return true;
}

/* Each name with its address. */
static bool
add_hosts(struct reading *r, const config_setting_t *group,
	struct strings *names, struct strings *addresses)
{
	struct client_conf *c = r->to;
	enum target_kind kind = c->entries[c->nentries - 1].kind;
	const config_setting_t *at = reading_member(group, "address");
	struct conf_host *hosts =
		reallocarray(c->hosts, c->nhosts + names->n, sizeof(*hosts));
	bool own = addresses->n > 0, good = true;
	size_t i;

	if (hosts == NULL)
		return reading_no_memory(r);
	c->hosts = hosts;
	for (i = 0; good && i < names->n; i++)
		good = check_name(
			       r, reading_member(group, "name"), names->v[i]) &&
		       check_address(r, at, kind,
			       own ? addresses->v[i] : names->v[i]) &&
		       add_host(r, &names->v[i], own ? &addresses->v[i] : NULL);
	return good;
}

/* The names, and as many addresses or none. */
static bool
read_names(struct reading *r, const config_setting_t *group, const char *name,
	const char *address, struct strings *names, struct strings *addresses)
{
	if (!expand(r, reading_member(group, "name"), name, names))
		return false;
	if (address == NULL)
		return true;
	if (!expand(r, reading_member(group, "address"), address, addresses))
		return false;
	if (addresses->n == names->n)
		return true;
	conf_error(r->conf, reading_member(group, "address"),
		"\"%s\" stands for %zu, and the name for %zu: each host needs "
		"its own",
		address, addresses->n, names->n);
	return false;
}

static void
read_host(struct reading *r, const config_setting_t *group)
{
	static const char *const keys[] = { "name", "address", "port",
		"transport", "fingerprint", "identity", "timeout", NULL };
	struct strings names = { 0 }, addresses = { 0 };
	char *name = NULL, *address = NULL;
	struct client_conf *c = r->to;
	struct conf_entry *e = &c->entries[c->nentries++];
	bool good;

	*e = (struct conf_entry){ 0 };
	if (!conf_keys(r->conf, group, keys))
		return;
	good = read_entry(r, group, e);
	good &= conf_string(r->conf, group, "name", &name);
	good &= conf_string(r->conf, group, "address", &address);
	if (good && name == NULL)
		conf_error(r->conf, group, "has no name");
	else if (good && e->kind == TARGET_UNIX && address == NULL)
		conf_error(r->conf, group,
			"has no address: the path of the socket");
	else if (good &&
		 read_names(r, group, name, address, &names, &addresses))
		add_hosts(r, group, &names, &addresses);
	free_strings(&names);
	free_strings(&addresses);
	free(name);
	free(address);
}

void
reading_hosts(struct reading *r)
{
	const config_setting_t *list = reading_list(r, "hosts"), *at;
	struct client_conf *c = r->to;
	struct conf_entry *entries;
	unsigned i;

	if (list == NULL || (entries = reading_grow(r, c->entries, c->nentries,
				     sizeof(*entries), list)) == NULL)
		return;
	c->entries = entries;
	for (i = 0; (at = config_setting_get_elem(list, i)) != NULL; i++)
		read_host(r, at);
}
