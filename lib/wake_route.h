/*
 * The routes by which this machine can send a Wake-on-LAN packet. A route is an
 * attached network with its broadcast or multicast address.
 */
#ifndef BRIDLE_WAKE_ROUTE_H
#define BRIDLE_WAKE_ROUTE_H

#include "magic_packet.h"
#include "net.h"

#include <net/if.h>
#include <stddef.h>

#define WAKE_ROUTES_MAX 32

struct wake_route {
	/* name of the interface; if "", the kernel chooses an interface */
	char interface[IF_NAMESIZE];
	struct net_addr to;
};

/* The networks that wake_routes_find() looks for. */
struct wake_search {
	const char *interface; /* name of the only interface; NULL: any */
	/* address that the network must contain; NULL: any network */
	const struct net_addr *host;
	unsigned port; /* UDP port of the routes */
};

/*
 * Fill in a route for each attached network that the search includes. A route
 * to an IPv4 network has the broadcast address of this network. A route to the
 * IPv6 networks of an interface has the address ff02::1. Leave out loopback and
 * point-to-point interfaces, and interfaces that are down. Return the number of
 * routes, at most WAKE_ROUTES_MAX, or -1 with errno.
 */
int wake_routes_find(
	const struct wake_search *, struct wake_route routes[WAKE_ROUTES_MAX]);

/*
 * Send the packet that wakes the machine with this MAC address. Return 0, or -1
 * with errno.
 */
int wake_route_send(
	const struct wake_route *, const unsigned char mac[MAC_SIZE]);

#endif
