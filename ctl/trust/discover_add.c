#include "trust/discover_add.h"

#include "fd.h"
#include "text.h"
#include "trust/conf_add_hosts.h"
#include "trust/discover_trust.h"
#include "util/message.h"
#include "util/prompt.h"
#include "wire.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NSSWITCH "/etc/nsswitch.conf"
#define NSSWITCH_SIZE_MAX 65536

struct plan {
	struct conf_addition *v;
	size_t n;
	size_t nrefused; /* number of machines that are left out */
};

/*
 * True if programs of this machine can look up mDNS names, such as
 * "lab7.local". If the result is false, bridlectl.conf needs a numeric address.
 */
static bool
knows_mdns(void)
{
	int fd = open(NSSWITCH, O_RDONLY | O_CLOEXEC);
	char *text = NULL, *rest, *line;
	bool found = false;
	size_t len;

	if (fd != -1)
		text = fd_read_all(fd, NSSWITCH_SIZE_MAX, &len);
	for (rest = text; !found && (line = strsep(&rest, "\n")) != NULL;) {
		line[strcspn(line, "#")] = '\0';
		line += strspn(line, " \t");
		found = strncmp(line, "hosts:", 6) == 0 &&
			strstr(line, "mdns") != NULL;
	}
	free(text);
	fd_close(&fd);
	return found;
}

static bool
is_planned(const struct plan *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (strcmp(p->v[i].name, name) == 0)
			return true;
	return false;
}

/*
 * True if the machine can have this name in bridlectl.conf. Otherwise print the
 * reason.
 */
static bool
check_name(const struct plan *p, const struct discovered *m,
	const struct client_conf *conf, const char *name)
{
	const struct conf_host *h = client_conf_host(conf, name, strlen(name));

	if (is_planned(p, name))
		message_print("not added: several announcements have the host "
			      "name %s",
			name);
	else if (h != NULL && !discover_trust_same(conf, h, m))
		message_print("not added: bridlectl.conf has another host with "
			      "the name %s",
			name);
	else
		return true;
	return false;
}

/* Add a machine to the plan, or count the machine as refused. */
static void
plan_machine(struct plan *p, const struct discovered *m,
	const struct client_conf *conf, bool by_name)
{
	struct conf_addition *a = &p->v[p->n];
	struct buf name = { 0 };

	if (!discovered_conf_name(m, &name)) {
		message_print(
			"not added: \"%s\" is not a valid host name", m->host);
		p->nrefused++;
	} else if (!check_name(p, m, conf, buf_str(&name))) {
		p->nrefused++;
	} else if ((a->name = strdup(buf_str(&name))) != NULL) {
		a->address = by_name ? m->host : m->addresses[0].address;
		if (strcasecmp(a->address, a->name) == 0)
			a->address = NULL;
		if (m->port != strtoul(WIRE_PORT_TLS, NULL, 10))
			a->port = m->port;
		p->n++;
	}
	buf_free(&name);
}

static void
free_plan(struct plan *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		free((char *)(uintptr_t)p->v[i].name);
	free(p->v);
}

static bool
confirm(const struct plan *p, const char *group)
{
	struct buf question = { 0 };
	bool yes;
	size_t i;

	buf_addf(&question, "Add %zu %s (", p->n, p->n == 1 ? "host" : "hosts");
	for (i = 0; i < p->n; i++)
		buf_addf(&question, i > 0 ? ", %s" : "%s", p->v[i].name);
	buf_addf(&question, ") to the group %s in bridlectl.conf?", group);
	yes = prompt_yes(buf_str(&question));
	buf_free(&question);
	if (!yes)
		message_print("nothing was changed");
	return yes;
}

static void
report(const struct plan *p, const char *group, const char *path)
{
	size_t i, entries = 0, members = 0;

	for (i = 0; i < p->n; i++) {
		entries += !p->v[i].known;
		members += !p->v[i].member;
	}
	message_print("%s: %zu added to hosts, %zu added to the group %s", path,
		entries, members, group);
	if (members > 0)
		message_print("discover trusts no key: compare and store the "
			      "hosts' keys with 'bridlectl trust @%s'",
			group);
}

enum outcome
discover_add(const struct discoveries *found, const struct client_conf *conf,
	const char *group, bool yes)
{
	struct plan p = { .v = calloc(found->n + 1, sizeof(*p.v)) };
	struct buf path = { 0 };
	enum outcome outcome = OUTCOME_NO;
	bool by_name = knows_mdns();
	size_t i;

	for (i = 0; p.v != NULL && i < found->n; i++)
		plan_machine(&p, &found->v[i], conf, by_name);
	if (p.n > 0 && (yes || confirm(&p, group)) &&
		conf_add_hosts(conf, p.v, p.n, group, &path) == 0) {
		report(&p, group, buf_str(&path));
		outcome = p.nrefused == 0 ? OUTCOME_DONE : OUTCOME_NO;
	}
	buf_free(&path);
	free_plan(&p);
	return outcome;
}
