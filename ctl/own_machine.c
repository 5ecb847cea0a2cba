#include "own_machine.h"

#include <ifaddrs.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* The names that /etc/hosts gives it. */
static bool
is_local_name(const char *host, size_t len)
{
	static const char *const names[] = { "localhost", "ip6-localhost",
		"ip6-loopback", NULL };
	size_t i;

	for (i = 0; names[i] != NULL; i++)
		if (strlen(names[i]) == len &&
			strncasecmp(host, names[i], len) == 0)
			return true;
	return false;
}

static bool
is_own_name(const char *host)
{
	char name[HOST_NAME_MAX + 1] = "";
	size_t len = strlen(host);

	/* A name that is whole may end with a dot. */
	if (len > 0 && host[len - 1] == '.')
		len--;
	if (is_local_name(host, len))
		return true;
	gethostname(name, sizeof(name) - 1);
	if (strlen(name) == len && strncasecmp(host, name, len) == 0)
		return true;
	/* Either may have its domain behind it. */
	name[strcspn(name, ".")] = '\0';
	return *name != '\0' && strcspn(host, ".") == strlen(name) &&
	       strncasecmp(host, name, strlen(name)) == 0;
}

/* As IPv6, whatever it was; false if it is neither. */
static bool
read_address(const struct sockaddr *sa, struct in6_addr *out)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;

	if (sa != NULL && sa->sa_family == AF_INET6) {
		*out = in6->sin6_addr;
		return true;
	}
	if (sa == NULL || sa->sa_family != AF_INET)
		return false;
	memset(out, 0, sizeof(*out));
	out->s6_addr[10] = out->s6_addr[11] = 0xff;
	memcpy(out->s6_addr + 12, &in->sin_addr, 4);
	return true;
}

static bool
is_loopback(const struct in6_addr *a)
{
	return IN6_IS_ADDR_LOOPBACK(a) ||
	       (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
}

static bool
is_own_address(const struct in6_addr *address)
{
	struct ifaddrs *all, *i;
	struct in6_addr ours;
	bool own = is_loopback(address);

	if (own || getifaddrs(&all) != 0)
		return own;
	for (i = all; i != NULL && !own; i = i->ifa_next)
		own = read_address(i->ifa_addr, &ours) &&
		      memcmp(&ours, address, sizeof(ours)) == 0;
	freeifaddrs(all);
	return own;
}

/* Whether the text is an address, in any of its forms: "127.1", too. */
static bool
parse_address(const char *host, struct in6_addr *out)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST }, *found;
	bool known;

	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return false;
	known = read_address(found->ai_addr, out);
	freeaddrinfo(found);
	return known;
}

bool
own_machine(const struct target *t)
{
	struct in6_addr address;

	if (t->kind == TARGET_UNIX)
		return true;
	return parse_address(t->host, &address) ? is_own_address(&address)
						: is_own_name(t->host);
}
