#include "listen_stream.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PORT_MAX 65535
#define HOST_MAX 64
#define INTERFACE_BYTES \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-@"

/* The parts of the text of an address. The parts are not checked yet. */
struct parts {
	char host[HOST_MAX];
	char interface[HOST_MAX]; /* name of the interface, or "" */
	char port[HOST_MAX];
};

/* Copy n bytes and a NUL. Return false if `to` has no room. */
static bool
copy(char to[HOST_MAX], const char *from, size_t n)
{
	if (n >= HOST_MAX)
		return false;
	memcpy(to, from, n);
	to[n] = '\0';
	return true;
}

/*
 * If the text `from` contains a "%", move the text after it to p->interface.
 * Return false if that text is empty or too long, or the interface is already
 * set.
 */
static bool
take_interface(char *from, struct parts *p)
{
	char *percent = strchr(from, '%');

	if (percent == NULL)
		return true;
	*percent = '\0';
	return *p->interface == '\0' && percent[1] != '\0' &&
	       copy(p->interface, percent + 1, strlen(percent + 1));
}

static bool
split(const char *text, struct parts *p)
{
	const char *end = strrchr(text, ':'), *host = text;

	if (text[strspn(text, "0123456789")] == '\0')
		return copy(p->host, "::", 2) &&
		       copy(p->port, text, strlen(text));
	if (*text == '[') {
		host = text + 1;
		end = strchr(text, ']');
		if (end == NULL || end[1] != ':' ||
			!copy(p->port, end + 2, strlen(end + 2)))
			return false;
	} else if (end == NULL || !copy(p->port, end + 1, strlen(end + 1))) {
		return false;
	}
	return copy(p->host, host, (size_t)(end - host)) &&
	       take_interface(p->host, p) && take_interface(p->port, p);
}

/* Return the port number, or 0 if the text is not a valid port. */
static unsigned long
read_port(const char *text)
{
	unsigned long port = strtoul(text, NULL, 10);

	if (*text == '\0' || text[strspn(text, "0123456789")] != '\0')
		return 0;
	return port <= PORT_MAX ? port : 0;
}

bool
listen_stream_format(const char *text, struct buf *out)
{
	struct parts p = { "", "", "" };
	struct in6_addr six;
	struct in_addr four;
	char host[INET6_ADDRSTRLEN];
	unsigned long port;

	if (!split(text, &p) || (port = read_port(p.port)) == 0 ||
		p.interface[strspn(p.interface, INTERFACE_BYTES)] != '\0')
		return false;
	if (inet_pton(AF_INET, p.host, &four) == 1) {
		if (*text == '[' || *p.interface != '\0')
			return false;
		buf_addf(out, "%s:%lu", p.host, port);
		return true;
	}
	if (inet_pton(AF_INET6, p.host, &six) != 1 ||
		(*text != '[' && !isdigit((unsigned char)*text)))
		return false;
	buf_addf(out, "[%s]:%lu", inet_ntop(AF_INET6, &six, host, sizeof(host)),
		port);
	if (*p.interface != '\0')
		buf_addf(out, "%%%s", p.interface);
	return true;
}

void
unit_name_escape(const char *text, struct buf *out)
{
	const char *c;

	for (c = text; *c != '\0'; c++) {
		if (*c == '/')
			buf_addc(out, '-');
		else if (isalnum((unsigned char)*c) || *c == ':' || *c == '_' ||
			 (*c == '.' && c > text))
			buf_addc(out, *c);
		else
			buf_addf(out, "\\x%02x", (unsigned char)*c);
	}
}
