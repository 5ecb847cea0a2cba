/* Functions for keys whose value is a list of names, users or networks. */
#include "config/settings_schema.h"
#include "magic_packet.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/*
 * Functions for lists of names. If a key is read twice, the new names replace
 * the old names.
 */

static void
free_names(void *field)
{
	struct settings_names *names = field;

	conf_strings_free(names->v);
	free(names->uids);
	*names = (struct settings_names){ 0 };
}

bool
settings_has_name(const struct settings_names *names, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (strlen(names->v[i]) == len &&
			memcmp(names->v[i], s, len) == 0)
			return true;
	return false;
}

static void
read_names(struct reader *r, const config_setting_t *at, void *field)
{
	struct settings_names *names = field;
	size_t i;

	free_names(field);
	if (!conf_strings(r->conf, at, &names->v, &names->n))
		return;
	names->set = true;
	for (i = 0; i < names->n; i++)
		if (names->v[i][0] == '\0')
			conf_error(r->conf, at, "has an empty name: remove it");
}

static void
print_names(struct printer *p, const void *field)
{
	const struct settings_names *names = field;

	if (names->set)
		print_strings(p, names->v, names->n);
}

const struct kind kind_names = { read_names, print_names, free_names };

static void
read_macs(struct reader *r, const config_setting_t *at, void *field)
{
	const struct settings_names *macs = field;
	unsigned char mac[MAC_SIZE];
	size_t i;

	read_names(r, at, field);
	for (i = 0; i < macs->n; i++)
		if (!mac_parse(macs->v[i], mac))
			conf_error(r->conf, at,
				"\"%s\" is not the MAC address of a machine; "
				"use six bytes such as 52:54:00:12:34:56",
				macs->v[i]);
}

const struct kind kind_macs = { read_macs, print_names, free_names };

static void
read_users(struct reader *r, const config_setting_t *at, void *field)
{
	struct settings_names *users = field;
	size_t i;

	read_names(r, at, field);
	if ((users->uids = calloc(users->n + 1, sizeof(uid_t))) == NULL)
		conf_error(r->conf, at, "out of memory");
	for (i = 0; users->uids != NULL && i < users->n; i++) {
		users->uids[i] = (uid_t)-1;
		settings_user(r, at, users->v[i], &users->uids[i]);
	}
}

const struct kind kind_users = { read_users, print_names, free_names };

/* Functions for lists of networks. */

static void
free_networks(void *field)
{
	struct settings_networks *networks = field;

	free(networks->v);
	*networks = (struct settings_networks){ 0 };
}

bool
settings_has_address(
	const struct settings_networks *networks, const struct net_addr *addr)
{
	size_t i;

	for (i = 0; i < networks->n; i++)
		if (net_block_contains(&networks->v[i], addr))
			return true;
	return false;
}

static void
read_networks(struct reader *r, const config_setting_t *at, void *field)
{
	struct settings_networks *networks = field;
	char **texts = NULL;
	size_t n = 0, i;

	free_networks(field);
	if (!conf_strings(r->conf, at, &texts, &n))
		return;
	if ((networks->v = calloc(n + 1, sizeof(*networks->v))) == NULL)
		conf_error(r->conf, at, "out of memory");
	for (i = 0; networks->v != NULL && i < n; i++)
		if (net_block_parse(texts[i], &networks->v[i]) != 0)
			conf_error(r->conf, at,
				"\"%s\" is not a network in numbers, as in "
				"\"10.1.0.0/16\" or \"2001:db8::/32\", with no "
				"bit set beyond its prefix",
				texts[i]);
	networks->n = i;
	conf_strings_free(texts);
	/*
	 * Report an empty list if `min` is 1, because an empty array would mean
	 * "from any address".
	 */
	if (networks->n < r->key->min)
		conf_error(r->conf, at,
			"names no network: remove this key to allow any "
			"address");
}

void
settings_print_network(const struct net_block *block, struct buf *out)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char host[INET6_ADDRSTRLEN];
	bool v4 = block->bits >= 96 && memcmp(block->bytes, mapped, 12) == 0;

	inet_ntop(v4 ? AF_INET : AF_INET6, block->bytes + (v4 ? 12 : 0), host,
		sizeof(host));
	buf_addf(out, "%s/%u", host, block->bits - (v4 ? 96 : 0));
}

static void
print_networks(struct printer *p, const void *field)
{
	const struct settings_networks *networks = field;
	size_t i;

	if (networks->n < p->key->min)
		return;
	buf_addc(&p->out, '(');
	for (i = 0; i < networks->n; i++) {
		buf_adds(&p->out, i > 0 ? ", \"" : "\"");
		settings_print_network(&networks->v[i], &p->out);
		buf_addc(&p->out, '"');
	}
	buf_addc(&p->out, ')');
}

const struct kind kind_networks = { read_networks, print_networks,
	free_networks };
