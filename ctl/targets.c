#include "targets.h"

#include "text.h"
#include "wire.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool
starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Keeps len bytes of s as the host; -1 if there are none or too many. */
static int
keep_host(struct target *t, const char *s, size_t len, struct buf *error)
{
	size_t max = t->kind == TARGET_UNIX
			     ? sizeof(((struct sockaddr_un *)0)->sun_path)
			     : sizeof(t->host);

	if (len == 0 || len >= max) {
		buf_addf(error,
			len == 0 ? "'%s' names no host" : "'%s' is too long",
			t->name);
		return -1;
	}
	memcpy(t->host, s, len);
	t->host[len] = '\0';
	return 0;
}

static int
keep_port(struct target *t, const char *s, struct buf *error)
{
	long port;

	if (text_number(s, 1, 65535, &port) != 0 ||
		strlen(s) >= sizeof(t->port)) {
		buf_addf(error, "'%s': a port is a number from 1 to 65535",
			t->name);
		return -1;
	}
	snprintf(t->port, sizeof(t->port), "%ld", port);
	return 0;
}

/*
 * Whether it may be a host's name or address: a mistake shall not be looked
 * up in the net, nor a byte of it upset the lines of known_hosts.
 */
static int
check_host(const struct target *t, struct buf *error)
{
	const char *s;

	for (s = t->host; *s != '\0'; s++) {
		if (isascii(*s) && (isalnum(*s) || strchr("._-:%", *s)))
			continue;
		if (*s == '/')
			buf_addf(error,
				"'%s' is no host: a socket is written "
				"unix:PATH",
				t->name);
		else
			buf_addf(error,
				"'%s' is no host: a name has letters, digits, "
				"'.', '_' and '-'",
				t->name);
		return -1;
	}
	/* The name that known_hosts has for it would mean something else. */
	if (strcasecmp(t->host, "plain") == 0 ||
		strcasecmp(t->host, "unix") == 0) {
		buf_addf(error,
			"'%s' is no host: say plain:NAME, unix:PATH or NAME",
			t->name);
		return -1;
	}
	if (*t->host != '-')
		return 0;
	buf_addf(error, "'%s' is no host: a name begins with no dash", t->name);
	return -1;
}

/* NAME, NAME:PORT, [ADDRESS] or [ADDRESS]:PORT */
static int
parse_address(struct target *t, enum target_kind kind, const char *s,
	struct buf *error)
{
	const char *end, *colon;

	t->kind = kind;
	strcpy(t->port, kind == TARGET_TLS ? WIRE_PORT_TLS : WIRE_PORT);
	if (*s == '[') {
		end = strchr(++s, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':')) {
			buf_addf(error,
				"'%s': write [ADDRESS] or "
				"[ADDRESS]:PORT",
				t->name);
			return -1;
		}
		colon = end[1] == ':' ? end + 1 : NULL;
	} else {
		colon = strchr(s, ':');
		end = colon ? colon : s + strlen(s);
		if (colon != NULL && strchr(colon + 1, ':') != NULL) {
			buf_addf(error,
				"'%s': put an IPv6 address in "
				"brackets, as in %s[::1]:%s",
				t->name,
				kind == TARGET_TLS ? "" : "plain:", t->port);
			return -1;
		}
	}
	if (keep_host(t, s, (size_t)(end - s), error) != 0 ||
		check_host(t, error) != 0)
		return -1;
	return colon ? keep_port(t, colon + 1, error) : 0;
}

int
targets_parse(const char *text, struct target *t, struct buf *error)
{
	memset(t, 0, sizeof(*t));
	t->name = text;
	if (starts(text, "unix:")) {
		t->kind = TARGET_UNIX;
		return keep_host(t, text + 5, strlen(text + 5), error);
	}
	if (starts(text, "plain:"))
		return parse_address(t, TARGET_PLAIN, text + 6, error);
	return parse_address(t, TARGET_TLS, text, error);
}

void
targets_address(const struct target *t, struct buf *out)
{
	const char *zone = strchr(t->host, '%'), *s;
	bool six = strchr(t->host, ':') != NULL;

	if (six)
		buf_addc(out, '[');
	/* An interface's name is another in other case. */
	for (s = t->host; *s != '\0'; s++)
		buf_addc(out, zone && s > zone ? *s : (char)tolower(*s));
	/* For each line of known_hosts: no formats, which take their time. */
	buf_adds(out, six ? "]:" : ":");
	buf_adds(out, t->port);
}
