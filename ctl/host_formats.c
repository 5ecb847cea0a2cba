#include "host_formats.h"

#include "hostlist.h"
#include "inventory.h"
#include "json.h"
#include "name_table.h"
#include "text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void
add_line(struct buf *out, const char *text)
{
	text_safe(out, text, strlen(text));
	buf_addc(out, '\n');
}

void
host_formats_lines(struct buf *out, const struct hosts *hosts)
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
host_formats_folded(struct buf *out, const struct hosts *hosts)
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

void
host_formats_json(struct buf *out, const struct hosts *hosts)
{
	static const char *const transports[] = { [TARGET_UNIX] = "unix",
		[TARGET_PLAIN] = "plain",
		[TARGET_TLS] = "tls" };
	const struct host *h;
	size_t i;

	for (i = 0; i < hosts->n; i++) {
		h = &hosts->v[i];
		buf_adds(out, "{\"host\":");
		json_string(out, h->label, strlen(h->label));
		buf_addf(out, ",\"transport\":\"%s\",\"address\":",
			transports[h->target.kind]);
		json_string(out, h->target.host, strlen(h->target.host));
		if (h->target.kind != TARGET_UNIX)
			buf_addf(out, ",\"port\":%s", h->target.port);
		buf_adds(out, "}\n");
	}
}

/*
 * The hosts by the names of their machines, in order and each once; the
 * table has them in lower case.
 */
struct machines {
	size_t n;
	char **names;
	const struct host **hosts;
	struct name_table table;
};

static void
free_machines(struct machines *m)
{
	while (m->n > 0)
		free(m->names[--m->n]);
	free(m->names);
	free(m->hosts);
	name_table_free(&m->table);
}

/* The name by which a table has it; "" if it has none. */
static const char *
machine_key(const struct host *h, struct buf *scratch)
{
	size_t i;

	buf_reset(scratch);
	hosts_name(h, scratch);
	for (i = 0; i < scratch->len; i++)
		scratch->data[i] =
			(char)tolower((unsigned char)scratch->data[i]);
	return strncmp(buf_str(scratch), "unix:", 5) == 0 ? "" : scratch->data;
}

static bool
add_machine(struct machines *m, const struct host *h, struct buf *scratch)
{
	const char *key = machine_key(h, scratch);
	int added = *key ? name_table_add(&m->table, key, m->n) : 0;

	if (added <= 0)
		return added == 0;
	buf_reset(scratch);
	hosts_name(h, scratch);
	if ((m->names[m->n] = strdup(buf_str(scratch))) == NULL)
		return false;
	m->hosts[m->n++] = h;
	return true;
}

/* False if memory is short. */
static bool
make_machines(struct machines *m, const struct hosts *hosts)
{
	struct buf scratch = { 0 };
	bool good;
	size_t i;

	memset(m, 0, sizeof(*m));
	m->names = calloc(hosts->n + 1, sizeof(*m->names));
	m->hosts = calloc(hosts->n + 1, sizeof(*m->hosts));
	good = m->names != NULL && m->hosts != NULL;
	for (i = 0; good && i < hosts->n; i++)
		good = add_machine(m, &hosts->v[i], &scratch);
	buf_free(&scratch);
	return good;
}

/*
 * Appends those of the machines that are in the group, one a line, and
 * returns how many; -1 with a sentence if it cannot be expanded.
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
	if (inventory_add(&members, conf, buf_str(&list), error) != 0)
		n = -1;
	for (i = 0; n >= 0 && i < members.n; i++) {
		if (!name_table_find(&m->table,
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

int
host_formats_groups(struct buf *out, const struct hosts *hosts,
	const struct client_conf *conf, struct buf *error)
{
	struct machines m;
	int result = 0;

	if (make_machines(&m, hosts))
		result = add_groups(out, &m, conf, error);
	else
		out->failed = true;
	free_machines(&m);
	return result;
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

/* Its file of hosts, see WCOLL in pdsh(1). */
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

/* Its inventory of the INI kind, in which these two groups are its own. */
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
	int (*add)(struct buf *, const struct machines *,
		const struct client_conf *, struct buf *error);
} tools[] = { { "ansible", add_ansible }, { "nodeset", add_nodeset },
	{ "pdsh", add_pdsh } };

#define NTOOLS (sizeof(tools) / sizeof(tools[0]))

int
host_formats_for(struct buf *out, const char *tool, const struct hosts *hosts,
	const struct client_conf *conf, struct buf *error)
{
	struct machines m;
	int result = 0;
	size_t i;

	for (i = 0; i < NTOOLS && strcmp(tools[i].name, tool) != 0; i++)
		;
	if (i == NTOOLS) {
		buf_addf(error,
			"there is no format '%s': say ansible, nodeset or pdsh",
			tool);
		return -1;
	}
	if (make_machines(&m, hosts))
		result = tools[i].add(out, &m, conf, error);
	else
		out->failed = true;
	free_machines(&m);
	return result;
}
