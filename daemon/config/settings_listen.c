#include "config/settings_schema.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define MODE_DEFAULT 0660

/* Functions for the key "tcp". */

/*
 * Report a wrong address. An address that is wrong only because an interface is
 * missing may be right later. For such an address, set `unanswered`.
 */
static void
refuse_address(struct reader *r, const config_setting_t *at, const char *text,
	struct net_addr *addr)
{
	const char *scope = strchr(text, '%');

	if (net_needs_scope(addr) && scope == NULL) {
		conf_error(r->conf, at,
			"\"%s\" is a link-local address: name its interface "
			"too, as in \"[fe80::1%%eth0]:7074\"",
			text);
	} else if (net_needs_scope(addr)) {
		if (r->ids != NULL)
			r->ids->unanswered = true;
		conf_error(r->conf, at,
			"\"%s\" names no interface that this machine has now "
			"(list them with: ip link)",
			text);
	} else {
		conf_error(r->conf, at,
			"\"%s\" is not ADDRESS:PORT in numbers, "
			"as in \"127.0.0.1:7074\" or \"[::1]:7074\"",
			text);
	}
	memset(addr, 0, sizeof(*addr));
}

static void
read_address(struct reader *r, const config_setting_t *at, void *field)
{
	struct net_addr *addr = field;
	char *text;

	if (!conf_string(r->conf, at, &text))
		return;
	if (net_parse(text, addr) == 0 && addr->in.sin_port != 0 &&
		!net_needs_scope(addr))
		net_unmap(addr);
	else
		refuse_address(r, at, text, addr);
	free(text);
}

static void
print_address(struct printer *p, const void *field)
{
	const struct net_addr *addr = field;
	struct buf text = { 0 };

	if (addr->len == 0)
		return;
	net_format(addr, &text);
	print_text(p, buf_str(&text));
	buf_free(&text);
}

static const struct kind kind_address = { read_address, print_address, NULL };

/*
 * Functions for the key "mode". Its value is text, because the number 0660 in
 * the file would mean decimal 660.
 */

static void
read_mode(struct reader *r, const config_setting_t *at, void *base)
{
	struct settings_listen *l = base;
	unsigned long v;
	char *text;
	size_t digits;

	if (!conf_string(r->conf, at, &text))
		return;
	digits = strspn(text, "01234567");
	if (digits > 0 && digits <= 4 && text[digits] == '\0' &&
		(v = strtoul(text, NULL, 8)) <= 0777)
		l->mode = (mode_t)v;
	else
		conf_error(r->conf, at,
			"\"%s\" is not an octal mode from \"0000\" to \"0777\"",
			text);
	free(text);
}

static void
print_mode(struct printer *p, const void *base)
{
	const struct settings_listen *l = base;

	if (l->unix_path != NULL && !l->root)
		buf_addf(&p->out, "\"%04o\"", (unsigned)l->mode);
}

static const struct kind kind_mode = { read_mode, print_mode, NULL };

static const struct key keys[] = {
	KEY(struct settings_listen, unix_path, "unix", path),
	KEY(struct settings_listen, addr, "tcp", address),
	WHOLE_KEY("mode", mode),
	KEY(struct settings_listen, group, "group", text),
	KEY(struct settings_listen, root, "root", flag),
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
		conf_error(r->conf, conf_member(at, "unix"),
			"is longer than the %zu bytes of a socket's path",
			sizeof(un.sun_path) - 1);
	if (l->root && (conf_member(at, "mode") != NULL || l->group != NULL))
		conf_error(r->conf, conf_member(at, "root"),
			"means the mode 0600: remove mode and group");
	if (l->root)
		l->mode = SETTINGS_ROOT_MODE;
	if (l->group != NULL)
		settings_group(r, conf_member(at, "group"), l->group, &l->gid);
	if (l->tls || l->insecure)
		conf_error(r->conf, at, "tls and insecure are for tcp only");
}

static void
check_tcp(struct reader *r, const config_setting_t *at,
	const struct settings_listen *l)
{
	if (l->tls && l->insecure)
		conf_error(r->conf, conf_member(at, "insecure"),
			"is for a listener without TLS");
	else if (l->addr.len > 0 && !net_is_loopback(&l->addr) && !l->tls &&
		 !l->insecure)
		conf_error(r->conf, conf_member(at, "tcp"),
			"would be reached by other machines without TLS: "
			"set tls = true, or listen at 127.0.0.1 or [::1], "
			"or set insecure = true");
	if (conf_member(at, "mode") != NULL ||
		conf_member(at, "group") != NULL || l->root)
		conf_error(
			r->conf, at, "mode, group and root are for unix only");
}

/*
 * True if the addresses are equal, or if `a` stands for all addresses and thus
 * includes `b`. The kernel would refuse to listen at both addresses.
 */
static bool
collide(const struct net_addr *a, const struct net_addr *b)
{
	static const uint8_t none[16];
	uint8_t bytes[16];
	uint16_t port_a, port_b;

	if (a->len == 0 || b->len == 0)
		return false;
	/* The port has the same offset in IPv4 and IPv6 addresses. */
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
report_twice(struct reader *r, const config_setting_t *at,
	const struct settings_listen *earlier)
{
	struct buf place = { 0 };

	if (earlier->file == r->file && earlier->line > 0)
		buf_addf(&place, "listen[%zu]",
			(size_t)(earlier - r->settings->listen) -
				r->first_listen);
	else
		entry_place(&place, earlier->file, earlier->line);
	conf_error(r->conf, at, "has the same address as %s", buf_str(&place));
	buf_free(&place);
}

static void
check(struct reader *r, const config_setting_t *at, size_t i)
{
	struct settings_listen *l = &r->settings->listen[i];
	bool is_unix = conf_member(at, "unix") != NULL;
	bool is_tcp = conf_member(at, "tcp") != NULL;
	size_t j;

	l->file = r->file;
	l->line = entry_line(r, at);
	if (is_unix == is_tcp)
		conf_error(r->conf, at, "must have either unix or tcp");
	else if (is_unix)
		check_unix(r, at, l);
	else
		check_tcp(r, at, l);
	for (j = 0; j < i; j++) {
		if (!same(&r->settings->listen[j], l))
			continue;
		report_twice(r, at, &r->settings->listen[j]);
		return;
	}
}

bool
settings_has_tls(const struct settings *s)
{
	size_t i;

	for (i = 0; i < s->nlisten; i++)
		if (s->listen[i].tls)
			return true;
	return false;
}

const struct entries settings_listen_entries = {
	.items = offsetof(struct settings, listen),
	.count = offsetof(struct settings, nlisten),
	.size = sizeof(struct settings_listen),
	.file = offsetof(struct settings_listen, file),
	.initial = &initial,
	.keys = keys,
	.check = check,
};
