#include "wake_route.h"

#include "fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>

/* The routes found so far. */
struct finding {
	const struct wake_search *search;
	struct wake_route *routes;
	int n;
};

/*
 * True if the search includes the interface and the interface is up. One packet
 * through the interface must be able to reach all machines of its network.
 */
static bool
is_suitable(const struct ifaddrs *a, const struct wake_search *search)
{
	unsigned needs = IFF_UP;

	if (a->ifa_addr == NULL ||
		(a->ifa_flags & (IFF_LOOPBACK | IFF_POINTOPOINT)) != 0)
		return false;
	if (a->ifa_addr->sa_family == AF_INET)
		needs |= IFF_BROADCAST;
	else if (a->ifa_addr->sa_family == AF_INET6)
		needs |= IFF_MULTICAST;
	else
		return false;
	return (a->ifa_flags & needs) == needs &&
	       (search->interface == NULL ||
		       strcmp(search->interface, a->ifa_name) == 0);
}

static struct in_addr
ipv4_of(const struct sockaddr *sa)
{
	struct sockaddr_in in;

	memcpy(&in, sa, sizeof(in));
	return in.sin_addr;
}

static struct sockaddr_in6
ipv6_of(const struct sockaddr *sa)
{
	struct sockaddr_in6 in6;

	memcpy(&in6, sa, sizeof(in6));
	return in6;
}

static void
add_route(struct finding *f, const char *interface, const struct net_addr *to)
{
	struct wake_route *route = &f->routes[f->n];
	int i;

	/*
	 * Add no route twice, because an interface can have several addresses
	 * in one network.
	 */
	for (i = 0; i < f->n; i++)
		if (strcmp(f->routes[i].interface, interface) == 0 &&
			net_same(&f->routes[i].to, to))
			return;
	if (f->n == WAKE_ROUTES_MAX)
		return;
	memset(route, 0, sizeof(*route));
	snprintf(route->interface, sizeof(route->interface), "%s", interface);
	route->to = *to;
	f->n++;
}

/* Add the broadcast address of an IPv4 network that contains the host. */
static void
add_ipv4(struct finding *f, const struct ifaddrs *a)
{
	const struct net_addr *host = f->search->host;
	struct in_addr own = ipv4_of(a->ifa_addr), mask;
	struct net_addr to;

	if (a->ifa_netmask == NULL)
		return;
	mask = ipv4_of(a->ifa_netmask);
	/* A network with a prefix of 31 or 32 bits has no broadcast address. */
	if (ntohl(mask.s_addr) >= 0xfffffffe)
		return;
	if (host != NULL && (host->sa.sa_family != AF_INET ||
				    ((host->in.sin_addr.s_addr ^ own.s_addr) &
					    mask.s_addr) != 0))
		return;
	memset(&to, 0, sizeof(to));
	to.len = sizeof(to.in);
	to.in.sin_family = AF_INET;
	to.in.sin_port = htons((uint16_t)f->search->port);
	to.in.sin_addr.s_addr = own.s_addr | ~mask.s_addr;
	add_route(f, a->ifa_name, &to);
}

static bool
same_ipv6_network(const struct in6_addr *a, const struct in6_addr *b,
	const struct in6_addr *mask)
{
	int i;

	for (i = 0; i < 16; i++)
		if (((a->s6_addr[i] ^ b->s6_addr[i]) & mask->s6_addr[i]) != 0)
			return false;
	return true;
}

/*
 * True if the IPv6 network of this interface contains the host. If `host` is a
 * link-local address, its scope must be the number of this interface.
 */
static bool
has_ipv6_host(
	const struct ifaddrs *a, const struct net_addr *host, unsigned index)
{
	struct sockaddr_in6 own = ipv6_of(a->ifa_addr), mask;

	if (host->sa.sa_family != AF_INET6 || a->ifa_netmask == NULL)
		return false;
	if (IN6_IS_ADDR_LINKLOCAL(&host->in6.sin6_addr) &&
		host->in6.sin6_scope_id != index)
		return false;
	mask = ipv6_of(a->ifa_netmask);
	/* An address with a prefix of 128 bits has no network. */
	return mask.sin6_addr.s6_addr[15] == 0 &&
	       same_ipv6_network(
		       &host->in6.sin6_addr, &own.sin6_addr, &mask.sin6_addr);
}

/*
 * Add the multicast address of all nodes, if the interface has an IPv6 network
 * that contains the host.
 */
static void
add_ipv6(struct finding *f, const struct ifaddrs *a)
{
	unsigned index = if_nametoindex(a->ifa_name);
	struct net_addr to;

	if (index == 0 || (f->search->host != NULL &&
				  !has_ipv6_host(a, f->search->host, index)))
		return;
	memset(&to, 0, sizeof(to));
	to.len = sizeof(to.in6);
	to.in6.sin6_family = AF_INET6;
	to.in6.sin6_port = htons((uint16_t)f->search->port);
	to.in6.sin6_scope_id = index;
	inet_pton(AF_INET6, "ff02::1", &to.in6.sin6_addr);
	add_route(f, a->ifa_name, &to);
}

int
wake_routes_find(const struct wake_search *search,
	struct wake_route routes[WAKE_ROUTES_MAX])
{
	struct finding f = { .search = search, .routes = routes };
	struct ifaddrs *all, *a;

	if (getifaddrs(&all) != 0)
		return -1;
	for (a = all; a != NULL; a = a->ifa_next) {
		if (!is_suitable(a, search))
			continue;
		if (a->ifa_addr->sa_family == AF_INET)
			add_ipv4(&f, a);
		else
			add_ipv6(&f, a);
	}
	freeifaddrs(all);
	return f.n;
}

/*
 * Let the socket send to a broadcast address, and only through the route's
 * interface. Return 0, or -1 with errno.
 */
static int
set_options(int fd, const struct wake_route *route)
{
	size_t len = strlen(route->interface);
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) != 0)
		return -1;
	return len == 0 ? 0
			: setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE,
				  route->interface, (socklen_t)len);
}

int
wake_route_send(
	const struct wake_route *route, const unsigned char mac[MAC_SIZE])
{
	unsigned char packet[MAGIC_PACKET_SIZE];
	int fd, result = -1;

	magic_packet_fill(packet, mac);
	fd = socket(route->to.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd != -1 && set_options(fd, route) == 0 &&
		sendto(fd, packet, sizeof(packet), 0, &route->to.sa,
			route->to.len) == (ssize_t)sizeof(packet))
		result = 0;
	fd_close(&fd);
	return result;
}
