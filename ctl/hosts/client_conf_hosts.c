#include "hosts/client_conf_parse.h"
#include "hosts/hostlist.h"
#include "text.h"
#include "tls.h"
#include "util/config_dir.h"
#include "util/limits.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The strings to which a pattern expands. */
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
		conf_error(r->conf, at, "more than %d hosts in total",
			HOSTLIST_MAX);
	else if ((out->v = calloc(count, sizeof(*out->v))) == NULL ||
		 hostlist_expand(pattern, keep_string, out, &why) != 0)
		reading_no_memory(r);
	else
		good = true;
	buf_free(&why);
	return good;
}

/*
 * True if the name is valid in -H and contains no port and no transport.
 * Otherwise report an error.
 */
static bool
check_name(struct reading *r, const config_setting_t *at, const char *name)
{
	struct buf why = { 0 };
	struct target t;
	bool alone = strchr(name, ':') == NULL;
	bool good = alone && target_parse(name, &t, &why) == 0;

	if (!alone)
		conf_error(r->conf, at,
			"'%s' is more than a name; use the keys port, "
			"transport and address for the rest",
			name);
	else if (!good)
		conf_error(r->conf, at, "%s", buf_str(&why));
	buf_free(&why);
	return good;
}

/*
 * True if the address is valid and contains no port and no transport. Otherwise
 * report an error. For a host without an address, `address` is the host's name.
 */
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
			"'%s' is more than an address; set the port with "
			"\"port\" and the transport with \"transport\"",
			address);
	else if (target_parse(buf_str(&text), &t, &why) != 0) {
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
	int kind = TARGET_TLS;

	if (!conf_string(r->conf, conf_member(group, "transport"), &name))
		return false;
	if (name != NULL && (kind = text_index(target_kind_names, name)) < 0)
		conf_error(r->conf, reading_member(group, "transport"),
			"\"%s\" is no transport; use tls, plain or unix", name);
	free(name);
	e->kind = kind < 0 ? TARGET_TLS : (enum target_kind)kind;
	return kind >= 0;
}

/*
 * Read the key `identity`, and replace "~/" by the path of the user's home, as
 * a shell does. On failure, report an error and return false.
 */
static bool
read_identity(
	struct reading *r, const config_setting_t *group, struct conf_entry *e)
{
	struct buf path = { 0 }, why = { 0 };
	char *text = NULL;
	bool good = conf_string(r->conf, conf_member(group, "identity"), &text);

	if (good && text != NULL && strncmp(text, "~/", 2) == 0) {
		good = config_dir_home_path(text + 2, &path, &why) == 0;
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

/*
 * True if the transport uses all keys of the entry, and the fingerprint is
 * valid. Otherwise report each error.
 */
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
			"is for TLS, but the transport is not TLS");
		good = false;
	}
	if (e->kind == TARGET_UNIX && e->port != 0) {
		conf_error(r->conf, reading_member(group, "port"),
			"a unix socket has no port");
		good = false;
	}
	if (e->fingerprint != NULL && !tls_fingerprint_valid(e->fingerprint)) {
		conf_error(r->conf, reading_member(group, "fingerprint"),
			"\"%s\" is not a fingerprint; use \"SHA256:\" and 43 "
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

	good &= conf_number(
		r->conf, conf_member(group, "port"), 1, 65535, &e->port);
	good &= conf_number(r->conf, conf_member(group, "timeout"), 1,
		TIMEOUT_MAX, &e->timeout);
	good &= conf_string(
		r->conf, conf_member(group, "fingerprint"), &e->fingerprint);
	good &= read_identity(r, group, e);
	good &= reading_wake(r, group, e);
	return good && check_fit(r, group, e);
}

/*
 * Add a host to the newest entry, unless a host with this name exists. A new
 * host becomes the owner of the strings *name and *address, and both pointers
 * become NULL. The new host gets a copy of `mac`. *address and `mac` can be
 * NULL. Return false if memory cannot be allocated.
 */
static bool
add_host(struct reading *r, char **name, char **address, const char *mac)
{
	struct client_conf *c = r->to;
	struct conf_host *h = &c->hosts[c->nhosts];
	char *s;
	int added;

	for (s = *name; *s != '\0'; s++)
		*s = (char)tolower((unsigned char)*s);
	(*name)[target_name_len(*name, strlen(*name))] = '\0';
	added = string_map_add(&c->host_names, *name, c->nhosts);
	if (added < 0)
		return reading_no_memory(r);
	if (added == 0)
		return true;
	*h = (struct conf_host){ .name = *name, .entry = c->nentries - 1 };
	*name = NULL;
	if (address != NULL) {
		h->address = *address;
		*address = NULL;
	}
	c->nhosts++;
	if (mac != NULL && (h->mac = strdup(mac)) == NULL)
		return reading_no_memory(r);
	return true;
}

/*
 * Add a host for each name. If there are addresses or MAC addresses, each name
 * gets the element with the same index. On failure, report an error and return
 * false.
 */
static bool
add_hosts(struct reading *r, const config_setting_t *group,
	struct strings *names, struct strings *addresses, char **macs)
{
	struct client_conf *c = r->to;
	enum target_kind kind = c->entries[c->nentries - 1].kind;
	const config_setting_t *at = reading_member(group, "address");
	struct conf_host *hosts =
		reading_grow(r, c->hosts, c->nhosts + names->n, sizeof(*hosts));
	bool own = addresses->n > 0, good = true;
	size_t i;

	if (hosts == NULL)
		return false;
	c->hosts = hosts;
	for (i = 0; good && i < names->n; i++)
		good = check_name(
			       r, reading_member(group, "name"), names->v[i]) &&
		       check_address(r, at, kind,
			       own ? addresses->v[i] : names->v[i]) &&
		       add_host(r, &names->v[i], own ? &addresses->v[i] : NULL,
			       macs != NULL ? macs[i] : NULL);
	return good;
}

/*
 * Expand the names. If `address` is not NULL, also expand the addresses. There
 * must be one address for each name. On failure, report an error and return
 * false.
 */
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
		"\"%s\" stands for %zu addresses, but the name for %zu hosts; "
		"each host needs one address",
		address, addresses->n, names->n);
	return false;
}

void
reading_host(struct reading *r, const config_setting_t *group)
{
	static const char *const keys[] = { "name", "address", "port",
		"transport", "fingerprint", "identity", "timeout", "mac",
		"broadcast", "wake_port", "wake_interface", NULL };
	struct strings names = { 0 }, addresses = { 0 };
	char *name = NULL, *address = NULL, **macs = NULL;
	struct client_conf *c = r->to;
	struct conf_entry *e;
	bool good;

	e = reading_grow(r, c->entries, c->nentries + 1, sizeof(*e));
	if (e == NULL)
		return;
	c->entries = e;
	e += c->nentries++;
	*e = (struct conf_entry){ 0 };
	if (!conf_keys(r->conf, group, keys))
		return;
	good = read_entry(r, group, e);
	good &= conf_string(r->conf, conf_member(group, "name"), &name);
	good &= conf_string(r->conf, conf_member(group, "address"), &address);
	if (good && name == NULL)
		conf_error(r->conf, group, "has no name");
	else if (good && e->kind == TARGET_UNIX && address == NULL)
		conf_error(r->conf, group,
			"has no address; set address to the path of the "
			"socket");
	else if (good &&
		 read_names(r, group, name, address, &names, &addresses) &&
		 reading_macs(r, group, names.n, &macs))
		add_hosts(r, group, &names, &addresses, macs);
	conf_strings_free(macs);
	free_strings(&names);
	free_strings(&addresses);
	free(name);
	free(address);
}
