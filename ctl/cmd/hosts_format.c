#include "cmd/hosts_format.h"

#include "hosts/host_expand.h"
#include "hosts/hostlist.h"
#include "hosts/mac_file.h"
#include "output/json.h"
#include "text.h"
#include "util/string_map.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
add_line(struct buf *out, const char *text)
{
	text_safe(out, text, strlen(text));
	buf_addc(out, '\n');
}

void
hosts_format_lines(struct buf *out, const struct hosts *hosts)
{
	size_t i;

	for (i = 0; i < hosts->n; i++)
		add_line(out, hosts->v[i].label);
}

static void
add_folded(struct buf *out, const char *const *names, size_t n)
{
	char *folded = hostlist_fold(names, n);

	if (folded != NULL)
		add_line(out, folded);
	else
		out->failed = true;
	free(folded);
}

void
hosts_format_folded(struct buf *out, const struct hosts *hosts)
{
	const char **names = calloc(hosts->n + 1, sizeof(*names));
	size_t i;

	for (i = 0; names != NULL && i < hosts->n; i++)
		names[i] = hosts->v[i].label;
	if (names != NULL)
		add_folded(out, names, hosts->n);
	else
		out->failed = true;
	free(names);
}

/*
 * Write the MAC address of the host to `text`. Take the address from
 * bridlectl.conf. If that file has no address, take the learnt address in
 * `macs`. Return the name of the source, or NULL if the address is unknown.
 */
static const char *
find_mac(const struct host *h, const char *macs, char text[MAC_TEXT_SIZE])
{
	unsigned char mac[MAC_SIZE];

	if (h->mac != NULL) {
		snprintf(text, MAC_TEXT_SIZE, "%s", h->mac);
		return CLIENT_CONF_NAME;
	}
	if (h->target.kind == TARGET_UNIX || !mac_file_find(macs, h, mac))
		return NULL;
	mac_format(mac, text);
	return "learnt";
}

void
hosts_format_macs(struct buf *out, const struct hosts *hosts, const char *macs)
{
	char mac[MAC_TEXT_SIZE];
	const char *source, *label;
	size_t i;

	for (i = 0; i < hosts->n; i++) {
		label = hosts->v[i].label;
		source = find_mac(&hosts->v[i], macs, mac);
		text_safe(out, label, strlen(label));
		buf_addf(out, " %s %s\n", source != NULL ? mac : "-",
			source != NULL ? source : "-");
	}
}

void
hosts_format_json(struct buf *out, const struct hosts *hosts, const char *macs)
{
	char mac[MAC_TEXT_SIZE];
	const char *source;
	const struct host *h;
	size_t i;

	for (i = 0; i < hosts->n; i++) {
		h = &hosts->v[i];
		buf_adds(out, "{\"host\":");
		json_string(out, h->label, strlen(h->label));
		buf_addf(out, ",\"transport\":\"%s\",\"address\":",
			target_kind_names[h->target.kind]);
		json_string(out, h->target.host, strlen(h->target.host));
		if (h->target.kind != TARGET_UNIX)
			buf_addf(out, ",\"port\":%s", h->target.port);
		if ((source = find_mac(h, macs, mac)) != NULL)
			buf_addf(out, ",\"mac\":\"%s\",\"mac_source\":\"%s\"",
				mac, source);
		buf_adds(out, "}\n");
	}
}

/*
 * The machines of the hosts, in order and without duplicates. The keys of
 * `table` are the names of the machines in lower case. The values of `table`
 * are indexes in `names`.
 */
struct machines {
	bool brackets; /* true: put IPv6 addresses in brackets */
	size_t n;
	char **names;
	const struct host **hosts;
	struct string_map table;
};

/*
 * Append the machines in the format of one tool. Return 0, or -1 with a
 * sentence in `error`.
 */
typedef int add_machines(struct buf *out, const struct machines *,
	const struct client_conf *, struct buf *error);

static void
free_machines(struct machines *m)
{
	while (m->n > 0)
		free(m->names[--m->n]);
	free(m->names);
	free(m->hosts);
	string_map_free(&m->table);
}

/*
 * Return the name that the host's machine has in `table`. Return "" for a host
 * given as "unix:PATH". The name is stored in `scratch`.
 */
static const char *
machine_key(const struct host *h, struct buf *scratch)
{
	size_t i;

	buf_reset(scratch);
	hosts_name(h, scratch);
	scratch->len = target_name_len(scratch->data, scratch->len);
	for (i = 0; i < scratch->len; i++)
		scratch->data[i] =
			(char)tolower((unsigned char)scratch->data[i]);
	return strncmp(buf_str(scratch), "unix:", 5) == 0 ? "" : scratch->data;
}

static bool
add_machine(struct machines *m, const struct host *h, struct buf *scratch)
{
	const char *key = machine_key(h, scratch);
	int added = *key ? string_map_add(&m->table, key, m->n) : 0;
	bool brackets = m->brackets && strchr(key, ':') != NULL;

	if (added <= 0)
		return added == 0;
	buf_reset(scratch);
	buf_adds(scratch, brackets ? "[" : "");
	hosts_name(h, scratch);
	buf_adds(scratch, brackets ? "]" : "");
	if ((m->names[m->n] = strdup(buf_str(scratch))) == NULL)
		return false;
	m->hosts[m->n++] = h;
	return true;
}

/* Collect the machines of the hosts. Return false if no memory is available. */
static bool
make_machines(struct machines *m, const struct hosts *hosts, bool brackets)
{
	struct buf scratch = { 0 };
	bool good;
	size_t i;

	*m = (struct machines){ .brackets = brackets };
	m->names = calloc(hosts->n + 1, sizeof(*m->names));
	m->hosts = calloc(hosts->n + 1, sizeof(*m->hosts));
	good = m->names != NULL && m->hosts != NULL;
	for (i = 0; good && i < hosts->n; i++)
		good = add_machine(m, &hosts->v[i], &scratch);
	buf_free(&scratch);
	return good;
}

/*
 * Append the machines that are in the group, one per line. Return the number of
 * these machines. If the group cannot be expanded, return -1 with a sentence in
 * `error`.
 */
static long
add_members(struct buf *out, const struct machines *m,
	const struct client_conf *conf, const char *group, struct buf *error)
{
	struct buf list = { 0 }, scratch = { 0 };
	struct hosts members = { 0 };
	long n = 0;
	size_t i, at;

	buf_addf(&list, "@%s", group);
	if (host_expand(&members, conf, buf_str(&list), error) != 0)
		n = -1;
	for (i = 0; n >= 0 && i < members.n; i++) {
		if (!string_map_find(&m->table,
			    machine_key(&members.v[i], &scratch), &at))
			continue;
		add_line(out, m->names[at]);
		n++;
	}
	hosts_free(&members);
	buf_free(&list);
	buf_free(&scratch);
	return n;
}

static int
add_groups(struct buf *out, const struct machines *m,
	const struct client_conf *conf, struct buf *error)
{
	struct buf ignored = { 0 };
	long n = 0;
	size_t i;

	for (i = 0; n >= 0 && i < conf->ngroups; i++) {
		n = add_members(&ignored, m, conf, conf->groups[i].name, error);
		if (n > 0)
			add_line(out, conf->groups[i].name);
	}
	buf_free(&ignored);
	return n < 0 ? -1 : 0;
}

/*
 * Append the machines of the hosts by calling the function `add`. Return 0, or
 * -1 with a sentence in `error`.
 */
static int
format(struct buf *out, add_machines *add, bool brackets,
	const struct hosts *hosts, const struct client_conf *conf,
	struct buf *error)
{
	struct machines m;
	int result = 0;

	if (make_machines(&m, hosts, brackets))
		result = add(out, &m, conf, error);
	else
		out->failed = true;
	free_machines(&m);
	return result;
}

int
hosts_format_groups(struct buf *out, const struct hosts *hosts,
	const struct client_conf *conf, struct buf *error)
{
	return format(out, add_groups, false, hosts, conf, error);
}

static int
add_nodeset(struct buf *out, const struct machines *m,
	const struct client_conf *conf, struct buf *error)
{
	(void)conf;
	(void)error;
	add_folded(out, (const char *const *)m->names, m->n);
	return 0;
}

/*
 * Append one machine per line, as in the files that pdsh reads (see WCOLL in
 * pdsh(1)).
 */
static int
add_pdsh(struct buf *out, const struct machines *m,
	const struct client_conf *conf, struct buf *error)
{
	size_t i;

	(void)conf;
	(void)error;
	for (i = 0; i < m->n; i++)
		add_line(out, m->names[i]);
	return 0;
}

static void
add_ansible_host(struct buf *out, const char *name, const struct host *h)
{
	text_safe(out, name, strlen(name));
	if (h->target.kind == TARGET_UNIX)
		buf_adds(out, " ansible_connection=local");
	else if (strcasecmp(name, h->target.host) != 0)
		buf_addf(out, " ansible_host=%s", h->target.host);
	buf_addc(out, '\n');
}

/*
 * Append an inventory in the INI format. Leave out the groups `all` and
 * `ungrouped`, which Ansible itself defines.
 */
static int
add_ansible(struct buf *out, const struct machines *m,
	const struct client_conf *conf, struct buf *error)
{
	struct buf members = { 0 };
	const char *name;
	long n = 0;
	size_t i;

	for (i = 0; i < m->n; i++)
		add_ansible_host(out, m->names[i], m->hosts[i]);
	for (i = 0; n >= 0 && i < conf->ngroups; i++) {
		name = conf->groups[i].name;
		if (strcmp(name, "all") == 0 || strcmp(name, "ungrouped") == 0)
			continue;
		buf_reset(&members);
		n = add_members(&members, m, conf, name, error);
		if (n > 0)
			buf_addf(out, "\n[%s]\n%s", name, buf_str(&members));
	}
	buf_free(&members);
	return n < 0 ? -1 : 0;
}

static const struct {
	const char *name;
	add_machines *add;
	bool brackets; /* true: put IPv6 addresses in brackets, for -H */
} tools[] = { { "ansible", add_ansible, false },
	{ "nodeset", add_nodeset, true }, { "pdsh", add_pdsh, true } };

#define NTOOLS (sizeof(tools) / sizeof(tools[0]))

int
hosts_format_for(struct buf *out, const char *tool, const struct hosts *hosts,
	const struct client_conf *conf, struct buf *error)
{
	size_t i;

	for (i = 0; i < NTOOLS; i++)
		if (strcmp(tools[i].name, tool) == 0)
			return format(out, tools[i].add, tools[i].brackets,
				hosts, conf, error);
	buf_addf(error,
		"unknown format '%s': use ansible, macs, nodeset or pdsh",
		tool);
	return -1;
}
