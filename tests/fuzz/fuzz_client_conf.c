/*
 * Fuzz target for the text of bridlectl.conf. If the parser refuses a text, it
 * must give a reason. If the parser accepts a text, all hosts in the text must
 * be valid, including the hosts of groups. After the target adds a host to the
 * text, the text must still be valid and contain the new host.
 */
#include "hosts/client_conf.h"
#include "hosts/client_conf_edit.h"
#include "hosts/host.h"
#include "hosts/host_expand.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Largest number of hosts in a text. More hosts would make the target slow. */
#define HOSTS_MAX 2000

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
check_hosts(const struct hosts *hosts)
{
	const struct host *h;
	size_t i;

	for (i = 0; i < hosts->n; i++) {
		h = &hosts->v[i];
		must(h->target.name == h->label && *h->target.host != '\0');
		must((*h->target.port == '\0') ==
			(h->target.kind == TARGET_UNIX));
	}
}

static void
expand(const struct client_conf *c, const char *list)
{
	struct hosts hosts = { 0 };
	struct buf error = { 0 };

	if (host_expand(&hosts, c, list, &error) == 0) {
		must(error.len == 0);
		check_hosts(&hosts);
	} else {
		must(error.len > 0);
	}
	hosts_free(&hosts);
	buf_free(&error);
}

/* Check that the name of each host entry expands to one valid host. */
static void
expand_hosts(const struct client_conf *c)
{
	struct hosts hosts = { 0 };
	struct buf error = { 0 };
	size_t i;

	for (i = 0; i < c->nhosts; i++) {
		must(host_expand(&hosts, c, c->hosts[i].name, &error) == 0);
		must(client_conf_host(c, c->hosts[i].name,
			     strlen(c->hosts[i].name)) == &c->hosts[i]);
	}
	must(hosts.n == c->nhosts);
	check_hosts(&hosts);
	hosts_free(&hosts);
	buf_free(&error);
}

/* Add a host and a group to a valid text, and read the result. */
static void
edit(const char *text, const struct client_conf *before)
{
	const struct conf_addition one = { .name = "new.fuzz", .port = 7 };
	const struct conf_group *group;
	struct client_conf after = { 0 };
	struct buf out = { 0 }, error = { 0 };

	if (client_conf_host(before, one.name, strlen(one.name)) != NULL)
		return;
	buf_adds(&out, text);
	must(client_conf_edit_add(&out, &one, 1, "g", &error) == 0);
	must(client_conf_read_text(&after, buf_str(&out), "new.conf", &error) ==
		0);
	must(after.nhosts == before->nhosts + 1);
	must(client_conf_host(&after, one.name, strlen(one.name)) != NULL);
	group = client_conf_group(&after, "g");
	must(group != NULL && group->hosts != NULL);
	must(after.ngroups ==
		before->ngroups + (client_conf_group(before, "g") == NULL));
	client_conf_free(&after);
	buf_free(&out);
	buf_free(&error);
}

/*
 * True if the patterns in the text are small. Patterns that expand to many
 * names would make the target slow.
 */
static bool
is_small(const char *text)
{
	unsigned brackets = 0;
	size_t digits;

	while ((text = strchr(text, '[')) != NULL) {
		if (++brackets > 4)
			return false;
		while (*++text != '\0' && *text != ']') {
			digits = strspn(text, "0123456789");
			if (digits > 2)
				return false;
			text += digits > 0 ? digits - 1 : 0;
		}
	}
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct client_conf c = { 0 };
	struct buf error = { 0 };

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (!is_small(text)) {
		free(text);
		return 0;
	}
	if (client_conf_read_text(&c, text, "fuzz.conf", &error) != 0) {
		must(error.len > 0);
	} else if (c.nhosts <= HOSTS_MAX) {
		must(error.len == 0);
		expand_hosts(&c);
		edit(text, &c);
		expand(&c, HOST_ALL);
		if (c.default_hosts != NULL)
			expand(&c, c.default_hosts);
	}
	client_conf_free(&c);
	buf_free(&error);
	free(text);
	return 0;
}
