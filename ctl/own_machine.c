#include "own_machine.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <limits.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static bool
is_own_name(const char *host)
{
	char name[HOST_NAME_MAX + 1] = "";

	if (strcasecmp(host, "localhost") == 0)
		return true;
	gethostname(name, sizeof(name) - 1);
	if (strcasecmp(host, name) == 0)
		return true;
	/* Either may have its domain behind it. */
	name[strcspn(name, ".")] = '\0';
	return *name != '\0' && strcspn(host, ".") == strlen(name) &&
	       strncasecmp(host, name, strlen(name)) == 0;
}

static bool
is_address_of(const char *host, const struct sockaddr *sa)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (sa != NULL && sa->sa_family == AF_INET)
		inet_ntop(AF_INET,
			&((const struct sockaddr_in *)(const void *)sa)
				 ->sin_addr,
			text, sizeof(text));
	if (sa != NULL && sa->sa_family == AF_INET6)
		inet_ntop(AF_INET6,
			&((const struct sockaddr_in6 *)(const void *)sa)
				 ->sin6_addr,
			text, sizeof(text));
	return strcmp(text, host) == 0;
}

static bool
is_own_address(const char *host)
{
	struct ifaddrs *all, *i;
	bool own = false;

	if (getifaddrs(&all) != 0)
		return false;
	for (i = all; i != NULL && !own; i = i->ifa_next)
		own = is_address_of(host, i->ifa_addr);
	freeifaddrs(all);
	return own;
}

static bool
is_numeric(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET, host, &address) == 1 ||
	       inet_pton(AF_INET6, host, &address) == 1;
}

bool
own_machine(const struct target *t)
{
	if (t->kind == TARGET_UNIX)
		return true;
	return is_numeric(t->host) ? is_own_address(t->host)
				   : is_own_name(t->host);
}
