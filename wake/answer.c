#include "answer.h"

#include "wake_route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netpacket/packet.h>
#include <string.h>

static void
wake(const unsigned char mac[MAC_SIZE], struct buf *reply)
{
	struct wake_search search = { .port = MAGIC_PACKET_PORT };
	struct wake_route routes[WAKE_ROUTES_MAX];
	int n = wake_routes_find(&search, routes), i, sent = 0, error = errno;

	for (i = 0; i < n; i++) {
		if (wake_route_send(&routes[i], mac) == 0)
			sent++;
		else
			error = errno;
	}
	if (sent > 0)
		buf_addf(reply, "ok %d\n", sent);
	else if (n == 0)
		buf_adds(reply, "error the relay is in no network\n");
	else
		buf_addf(reply, "error cannot send the packet: %s\n",
			strerror(error));
}

/* Append " ADDRESS" for each address of the interface. */
static void
add_addresses(const struct ifaddrs *all, const char *name, struct buf *reply)
{
	char text[INET6_ADDRSTRLEN];
	const struct ifaddrs *a;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	for (a = all; a != NULL; a = a->ifa_next) {
		if (a->ifa_addr == NULL || strcmp(a->ifa_name, name) != 0)
			continue;
		*text = '\0';
		if (a->ifa_addr->sa_family == AF_INET) {
			memcpy(&in, a->ifa_addr, sizeof(in));
			inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
		} else if (a->ifa_addr->sa_family == AF_INET6) {
			memcpy(&in6, a->ifa_addr, sizeof(in6));
			inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof(text));
		}
		if (*text != '\0')
			buf_addf(reply, " %s", text);
	}
}

/* Append a line for each interface that has a MAC address. */
static int
list_own(const struct ifaddrs *all, struct buf *reply)
{
	unsigned char bytes[MAC_SIZE];
	struct sockaddr_ll link;
	const struct ifaddrs *a;
	char mac[MAC_TEXT_SIZE];
	int n = 0;

	for (a = all; a != NULL; a = a->ifa_next) {
		if (a->ifa_addr == NULL || a->ifa_addr->sa_family != AF_PACKET)
			continue;
		memcpy(&link, a->ifa_addr, sizeof(link));
		memcpy(bytes, link.sll_addr, MAC_SIZE);
		mac_format(bytes, mac);
		if (link.sll_halen != MAC_SIZE || !mac_parse(mac, bytes))
			continue;
		buf_addf(reply, "%s %s", a->ifa_name, mac);
		add_addresses(all, a->ifa_name, reply);
		buf_addc(reply, '\n');
		n++;
	}
	return n;
}

static void
tell_own(struct buf *reply)
{
	struct ifaddrs *all;
	int n;

	if (getifaddrs(&all) != 0) {
		buf_addf(reply, "error %s\n", strerror(errno));
		return;
	}
	n = list_own(all, reply);
	freeifaddrs(all);
	buf_addf(reply, "ok %d\n", n);
}

void
answer(const char *line, struct buf *reply)
{
	unsigned char mac[MAC_SIZE];

	if (mac_parse(line, mac))
		wake(mac, reply);
	else if (strcmp(line, "own") == 0)
		tell_own(reply);
	else
		buf_adds(reply, "error this is no MAC address\n");
}
