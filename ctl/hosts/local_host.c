#include "hosts/local_host.h"

#include "net.h"

#include <ifaddrs.h>
#include <limits.h>
#include <netdb.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* True if the name is a usual name of the loopback address in /etc/hosts. */
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

	/* Ignore a final dot, which a fully qualified name may have. */
	if (len > 0 && host[len - 1] == '.')
		len--;
	if (is_local_name(host, len))
		return true;
	gethostname(name, sizeof(name) - 1);
	if (strlen(name) == len && strncasecmp(host, name, len) == 0)
		return true;
	/*
	 * Compare only the parts before the first dot, because one of the two
	 * names can lack its domain.
	 */
	name[strcspn(name, ".")] = '\0';
	return *name != '\0' && strcspn(host, ".") == strlen(name) &&
	       strncasecmp(host, name, strlen(name)) == 0;
}

/* Copy an IPv4 or IPv6 address to *out. Return false for another family. */
static bool
read_address(const struct sockaddr *sa, struct net_addr *out)
{
	if (sa == NULL ||
		(sa->sa_family != AF_INET && sa->sa_family != AF_INET6))
		return false;
	memcpy(&out->ss, sa,
		sa->sa_family == AF_INET ? sizeof(out->in) : sizeof(out->in6));
	return true;
}

static bool
is_own_address(const struct net_addr *address)
{
	bool own = net_is_loopback(address);
	uint8_t bytes[16], own_bytes[16];
	struct ifaddrs *all, *i;
	struct net_addr own_address;

	if (own || getifaddrs(&all) != 0)
		return own;
	net_bytes(address, bytes);
	for (i = all; i != NULL && !own; i = i->ifa_next) {
		if (!read_address(i->ifa_addr, &own_address))
			continue;
		net_bytes(&own_address, own_bytes);
		own = memcmp(own_bytes, bytes, sizeof(bytes)) == 0;
	}
	freeifaddrs(all);
	return own;
}

/*
 * True if the text is a numeric address. A short form such as "127.1" is
 * allowed. Store the address in *out.
 */
static bool
parse_address(const char *host, struct net_addr *out)
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
local_host_matches(const struct target *t)
{
	struct net_addr address;

	if (t->kind == TARGET_UNIX)
		return true;
	return parse_address(t->host, &address) ? is_own_address(&address)
						: is_own_name(t->host);
}
