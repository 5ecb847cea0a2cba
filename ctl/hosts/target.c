#include "hosts/target.h"

#include "text.h"
#include "wire.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *const target_kind_names[] = { "unix", "plain", "tls", NULL };

static bool
starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/*
 * Store len bytes of s as the host. Returns 0, or -1 with a sentence appended
 * to error if len is 0 or too large.
 */
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
 * True if the target has this host name. Ignore dots at the end of the target's
 * host name.
 */
static bool
has_name(const struct target *t, const char *name)
{
	size_t len = strlen(name);

	return target_name_len(t->host, strlen(t->host)) == len &&
	       strncasecmp(t->host, name, len) == 0;
}

/*
 * Return 0 if the host can be a name or an address, or -1 with a sentence
 * appended to error. The check refuses a mistyped host before a DNS query. The
 * check also refuses bytes that would break the format of known_hosts.
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
				"'%s' is no host; for a socket use unix:PATH",
				t->name);
		else
			buf_addf(error,
				"'%s' is no host; a name consists of letters, "
				"digits, '.', '_' and '-'",
				t->name);
		return -1;
	}
	/*
	 * Refuse the host "plain": a line "plain:7075" in known_hosts would be
	 * read as the host "7075".
	 */
	if (has_name(t, "plain") || has_name(t, "unix")) {
		buf_addf(error,
			"'%s' is no host; use plain:NAME, unix:PATH or NAME",
			t->name);
		return -1;
	}
	if (*t->host != '-')
		return 0;
	buf_addf(error, "'%s' is no host; a name must not begin with a dash",
		t->name);
	return -1;
}

static int
refuse_url(const struct target *t, struct buf *error)
{
	const char *host = strstr(t->name, "://") + 3;

	buf_addf(error,
		"'%s' is a URL; use only the host, such as %.*s or "
		"plain:%.*s",
		t->name, (int)strcspn(host, ":/"), host,
		(int)strcspn(host, ":/"), host);
	return -1;
}

/*
 * Parse NAME, NAME:PORT, [ADDRESS] or [ADDRESS]:PORT. Returns 0, or -1 with a
 * sentence appended to error.
 */
static int
parse_address(struct target *t, enum target_kind kind, const char *s,
	struct buf *error)
{
	const char *end, *colon;

	if (strstr(t->name, "://") != NULL)
		return refuse_url(t, error);
	t->kind = kind;
	strcpy(t->port, kind == TARGET_TLS ? WIRE_PORT_TLS : WIRE_PORT);
	if (*s == '[') {
		end = strchr(++s, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':')) {
			buf_addf(error,
				"'%s': use [ADDRESS] or "
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
				"'%s': an IPv6 address needs "
				"brackets, such as %s[::1]:%s",
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
target_parse(const char *text, struct target *t, struct buf *error)
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

size_t
target_name_len(const char *name, size_t len)
{
	while (len > 1 && name[len - 1] == '.')
		len--;
	return len;
}

void
target_address(const struct target *t, struct buf *out)
{
	const char *zone = strchr(t->host, '%'), *s;
	const char *end = t->host + target_name_len(t->host, strlen(t->host));
	bool six = strchr(t->host, ':') != NULL;

	if (six)
		buf_addc(out, '[');
	/*
	 * Do not change the name of an interface, which follows the "%", to
	 * lower case.
	 */
	for (s = t->host; s < end; s++)
		buf_addc(out, zone && s > zone ? *s : (char)tolower(*s));
	/*
	 * Do not use buf_addf() here. buf_addf() is slow, and this code runs
	 * for each line of known_hosts.
	 */
	buf_adds(out, six ? "]:" : ":");
	buf_adds(out, t->port);
}
