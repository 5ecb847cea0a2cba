#include "settings_keys.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define MODE_DEFAULT 0660

/* A socket's address. */

static void
read_address(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	struct net_addr *addr = key_field(key, base);
	char *text = NULL;

	if (!conf_string(r->conf, group, key->name, &text) || text == NULL)
		return;
	if (net_parse(text, addr) == 0 && addr->in.sin_port != 0) {
		net_unmap(addr);
	} else {
		memset(addr, 0, sizeof(*addr));
		conf_error(r->conf, config_setting_get_member(group, key->name),
			"\"%s\" is not ADDRESS:PORT in numbers, "
			"as in \"127.0.0.1:7070\" or \"[::1]:7070\"",
			text);
	}
	free(text);
}

static void
print_address(struct printer *p, const struct key *key, const void *base)
{
	const struct net_addr *addr = key_field(key, base);
	struct buf text = { 0 };

	if (addr->len == 0)
		return;
	net_format(addr, &text);
	print_begin(p, key->name);
	print_text(p, buf_str(&text));
	print_end(p);
	buf_free(&text);
}

static const struct kind kind_address = { read_address, print_address, NULL };

/* The mode of a unix socket: text, since 0660 as a number would be 660. */

static void
read_mode(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	mode_t *mode = key_field(key, base);
	unsigned long v;
	char *text = NULL;
	size_t digits;

	if (!conf_string(r->conf, group, key->name, &text) || text == NULL)
		return;
	digits = strspn(text, "01234567");
	if (digits > 0 && digits <= 4 && text[digits] == '\0' &&
		(v = strtoul(text, NULL, 8)) <= 0777)
		*mode = (mode_t)v;
	else
		conf_error(r->conf, config_setting_get_member(group, key->name),
			"\"%s\" is not an octal mode from \"0000\" to \"0777\"",
			text);
	free(text);
}

static void
print_mode(struct printer *p, const struct key *key, const void *base)
{
	const struct settings_listen *l = base;

	if (l->unix_path == NULL)
		return;
	print_begin(p, key->name);
	buf_addf(&p->out, "\"%04o\"", (unsigned)l->mode);
	print_end(p);
}

static const struct kind kind_mode = { read_mode, print_mode, NULL };

static const struct key keys[] = {
	KEY(struct settings_listen, unix_path, "unix", path),
	KEY(struct settings_listen, addr, "tcp", address),
	KEY(struct settings_listen, mode, "mode", mode),
	KEY(struct settings_listen, group, "group", text),
	KEY(struct settings_listen, tls, "tls", flag),
	KEY(struct settings_listen, insecure, "insecure", flag),
	{ .name = NULL },
};

static const struct settings_listen initial = { .mode = MODE_DEFAULT,
	.gid = (gid_t)-1 };

static void
check_unix(
	struct reader *r, const config_setting_t *at, struct settings_listen *l)
{
	struct sockaddr_un un;

	if (l->unix_path != NULL && strlen(l->unix_path) >= sizeof(un.sun_path))
		conf_error(r->conf, config_setting_get_member(at, "unix"),
			"is longer than the %zu bytes of a socket's path",
			sizeof(un.sun_path) - 1);
	if (l->group != NULL)
		settings_group(r, config_setting_get_member(at, "group"),
			l->group, &l->gid);
	if (l->tls || l->insecure)
		conf_error(r->conf, at, "tls and insecure are for tcp only");
}

static void
check_tcp(struct reader *r, const config_setting_t *at,
	const struct settings_listen *l)
{
	if (l->tls && l->insecure)
		conf_error(r->conf, config_setting_get_member(at, "insecure"),
			"is for a listener without TLS");
	else if (l->addr.len > 0 && !net_is_loopback(&l->addr) && !l->tls &&
		 !l->insecure)
		conf_error(r->conf, config_setting_get_member(at, "tcp"),
			"would be reached by other machines without TLS: "
			"say tls = true, or listen at 127.0.0.1 or [::1], "
			"or say insecure = true as well");
	if (config_setting_get_member(at, "mode") != NULL ||
		config_setting_get_member(at, "group") != NULL)
		conf_error(r->conf, at, "mode and group are for unix only");
}

/* Whether the kernel would refuse the one because of the other. */
static bool
collide(const struct net_addr *a, const struct net_addr *b)
{
	static const uint8_t none[16];
	uint8_t bytes[16];
	uint16_t port_a, port_b;

	if (a->len == 0 || b->len == 0)
		return false;
	/* The port is at the same place in either kind of address. */
	port_a = a->in.sin_port;
	port_b = b->in.sin_port;
	if (port_a != port_b)
		return false;
	net_bytes(a, bytes);
	if (a->sa.sa_family == AF_INET6 && memcmp(bytes, none, 16) == 0)
		return true;
	if (a->sa.sa_family == AF_INET && a->in.sin_addr.s_addr == INADDR_ANY)
		return b->sa.sa_family == AF_INET;
	return net_same(a, b);
}

static bool
same(const struct settings_listen *a, const struct settings_listen *b)
{
	if (a->unix_path != NULL && b->unix_path != NULL)
		return strcmp(a->unix_path, b->unix_path) == 0;
	return collide(&a->addr, &b->addr) || collide(&b->addr, &a->addr);
}

static void
check(struct reader *r, const config_setting_t *at, size_t i)
{
	struct settings_listen *l = &r->settings->listen[i];
	bool is_unix = config_setting_get_member(at, "unix") != NULL;
	bool is_tcp = config_setting_get_member(at, "tcp") != NULL;
	size_t j;

	l->line = entry_line(r, at);
	if (is_unix == is_tcp)
		conf_error(r->conf, at, "must have one of unix and tcp");
	else if (is_unix)
		check_unix(r, at, l);
	else
		check_tcp(r, at, l);
	for (j = 0; j < i; j++) {
		if (!same(&r->settings->listen[j], l))
			continue;
		conf_error(
			r->conf, at, "takes what listen[%zu] has already", j);
		return;
	}
}

const struct entries settings_listen_entries = {
	.count = offsetof(struct settings, nlisten),
	.size = sizeof(struct settings_listen),
	.initial = &initial,
	.keys = keys,
	.check = check,
};
