#include "targets.h"

#include "text.h"
#include "wire.h"

#include <stdbool.h>
#include <string.h>

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
	strcpy(t->port, s);
	return 0;
}

/* NAME, NAME:PORT, [ADDRESS] or [ADDRESS]:PORT */
static int
parse_plain(struct target *t, const char *s, struct buf *error)
{
	const char *end, *colon;

	t->kind = TARGET_PLAIN;
	strcpy(t->port, WIRE_PORT);
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
				"brackets, as in plain:[::1]:" WIRE_PORT,
				t->name);
			return -1;
		}
	}
	if (keep_host(t, s, (size_t)(end - s), error) != 0)
		return -1;
	return colon ? keep_port(t, colon + 1, error) : 0;
}

int
targets_parse(const char *text, struct target *t, struct buf *error)
{
	memset(t, 0, sizeof(*t));
	t->name = text;
	if (*text == '@' || strchr(text, ',') != NULL) {
		buf_addf(error,
			"'%s': this version speaks to one host at a "
			"time",
			text);
		return -1;
	}
	if (starts(text, "unix:")) {
		t->kind = TARGET_UNIX;
		return keep_host(t, text + 5, strlen(text + 5), error);
	}
	if (starts(text, "plain:"))
		return parse_plain(t, text + 6, error);
	buf_addf(error,
		"'%s' would be reached by TLS, which this version "
		"does not speak: write unix:PATH or plain:NAME[:PORT]",
		text);
	return -1;
}
