/*
 * bridlectl.conf. One that is refused says why; of one that is taken all
 * hosts are as they should be, whatever the groups are like.
 */
#include "client_conf.h"
#include "hosts.h"
#include "inventory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define HOSTS_MAX 2000 /* more are merely slow */

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

	if (inventory_add(&hosts, c, list, &error) == 0) {
		must(error.len == 0);
		check_hosts(&hosts);
	} else {
		must(error.len > 0);
	}
	hosts_free(&hosts);
	buf_free(&error);
}

/* Each entry's hosts by itself must be good. */
static void
expand_hosts(const struct client_conf *c)
{
	struct hosts hosts = { 0 };
	struct buf error = { 0 };
	size_t i;

	for (i = 0; i < c->nhosts; i++) {
		must(inventory_add(&hosts, c, c->hosts[i].name, &error) == 0);
		must(client_conf_host(c, c->hosts[i].name) == &c->hosts[i]);
	}
	must(hosts.n == c->nhosts);
	check_hosts(&hosts);
	hosts_free(&hosts);
	buf_free(&error);
}

/* Whether its patterns can be expanded many times a second. */
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
		expand(&c, INVENTORY_ALL);
		if (c.default_hosts != NULL)
			expand(&c, c.default_hosts);
	}
	client_conf_free(&c);
	buf_free(&error);
	free(text);
	return 0;
}
