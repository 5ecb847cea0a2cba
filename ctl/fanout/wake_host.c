#include "fanout/wake_host.h"

#include "clock.h"
#include "fanout/wait_host.h"
#include "hosts/mac_file.h"
#include "neighbour.h"
#include "remote/call.h"
#include "util/problem.h"
#include "wake_route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKETS 3        /* number of packets without a wait */
#define PACKET_PAUSE 100 /* ms between two of these packets */

#define SET_MAC "write mac into the host's entry of " CLIENT_CONF_NAME

/* The state of waking one host. */
struct waking {
	const struct invocation *inv;
	struct result *result;
	unsigned char mac[MAC_SIZE];
	struct wake_route routes[WAKE_ROUTES_MAX];
	int nroutes;
};

/* Turn the result into a failure with a formatted text. Return false. */
static bool __attribute__((format(printf, 2, 3)))
fail(struct result *a, const char *fmt, ...)
{
	char text[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	result_fail(a, RESULT_FAILED, text);
	return false;
}

static bool
succeed(struct result *a, const struct buf *text)
{
	reply_free(&a->reply);
	if (reply_conclude(&a->reply, CODE_OK, text->len > 0 ? text->data : "",
		    NULL) != 0)
		return fail(a, "out of memory");
	a->result_kind = RESULT_OK;
	return true;
}

/*
 * Find the MAC address of the host in bridlectl.conf, or else among the learnt
 * addresses.
 */
static bool
find_mac(struct waking *w)
{
	struct result *a = w->result;
	struct buf problem = { 0 };
	char *text;
	bool found;

	if (a->host->mac != NULL)
		return mac_parse(a->host->mac, w->mac);
	if ((text = mac_file_read(&problem)) == NULL) {
		result_fail(a, RESULT_FAILED, buf_str(&problem));
		buf_free(&problem);
		return false;
	}
	found = mac_file_find(text, a->host, w->mac);
	free(text);
	return found ||
	       fail(a, "its MAC address is unknown; " SET_MAC
		       ", or run 'bridlectl wake --learn' while the host is "
		       "on");
}

static unsigned
port_of(const struct host *h)
{
	return h->wake_port ? h->wake_port : MAGIC_PACKET_PORT;
}

/* Return the interface that the user has named, or NULL. */
static const char *
interface_of(const struct waking *w)
{
	return invocation_has(w->inv, OPT_INTERFACE)
		       ? w->inv->options.values[OPT_INTERFACE]
		       : w->result->host->wake_interface;
}

/* Use the key `broadcast` of the host's entry as the only route. */
static bool
take_broadcast(struct waking *w)
{
	const struct host *h = w->result->host;
	const char *interface = interface_of(w);
	struct wake_route *route = &w->routes[0];
	struct net_addr *to = &route->to;

	if (interface != NULL)
		snprintf(route->interface, sizeof(route->interface), "%s",
			interface);
	if (inet_pton(AF_INET, h->broadcast, &to->in.sin_addr) == 1) {
		to->len = sizeof(to->in);
		to->in.sin_family = AF_INET;
		to->in.sin_port = htons((uint16_t)port_of(h));
	} else if (inet_pton(AF_INET6, h->broadcast, &to->in6.sin6_addr) == 1) {
		to->len = sizeof(to->in6);
		to->in6.sin6_family = AF_INET6;
		to->in6.sin6_port = htons((uint16_t)port_of(h));
		if (interface != NULL)
			to->in6.sin6_scope_id = if_nametoindex(interface);
	}
	w->nroutes = 1;
	return true;
}

/* Find the networks of the interface that the user has named. */
static bool
take_interface(struct waking *w, const char *interface)
{
	struct wake_search search = { .interface = interface,
		.port = port_of(w->result->host) };

	w->nroutes = wake_routes_find(&search, w->routes);
	if (w->nroutes > 0)
		return true;
	if (if_nametoindex(interface) == 0)
		return fail(w->result,
			"this machine has no interface '%s'; 'ip link' shows "
			"the names",
			interface);
	return fail(w->result,
		"the interface '%s' is down, or has no network; 'ip addr' "
		"shows its state",
		interface);
}

/*
 * Find the attached network of one of the host's addresses. Return the number
 * of routes.
 */
static int
find_network(struct waking *w, const struct addrinfo *all)
{
	struct net_addr address;
	struct wake_search search = { .host = &address,
		.port = port_of(w->result->host) };
	const struct addrinfo *a;

	for (a = all; a != NULL && w->nroutes <= 0; a = a->ai_next) {
		if (a->ai_addrlen > sizeof(address.ss))
			continue;
		memset(&address, 0, sizeof(address));
		memcpy(&address.ss, a->ai_addr, a->ai_addrlen);
		address.len = a->ai_addrlen;
		w->nroutes = wake_routes_find(&search, w->routes);
	}
	return w->nroutes;
}

static bool
take_network(struct waking *w)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *all;
	const char *name = w->result->host->target.host;
	int error = getaddrinfo(name, NULL, &hints, &all), n;

	if (error != 0)
		return fail(w->result,
			"no address found for '%s': %s; name the network with "
			"--interface",
			name,
			error == EAI_SYSTEM ? strerror(errno)
					    : gai_strerror(error));
	n = find_network(w, all);
	freeaddrinfo(all);
	return n > 0 ||
	       fail(w->result,
		       "the host is in no network of this machine; name an "
		       "interface with --interface, or set broadcast "
		       "in " CLIENT_CONF_NAME);
}

static bool
find_routes(struct waking *w)
{
	const char *interface = interface_of(w);

	if (w->result->host->broadcast != NULL)
		return take_broadcast(w);
	return interface != NULL ? take_interface(w, interface)
				 : take_network(w);
}

/* Append "52:54:00:12:34:56 through eth0 (10.1.0.255:9)". */
static void
describe(const struct waking *w, struct buf *out)
{
	char mac[MAC_TEXT_SIZE];
	int i;

	mac_format(w->mac, mac);
	buf_adds(out, mac);
	for (i = 0; i < w->nroutes; i++) {
		buf_adds(out, i > 0 ? ", " : " through ");
		if (*w->routes[i].interface != '\0')
			buf_addf(out, "%s (", w->routes[i].interface);
		net_format(&w->routes[i].to, out);
		if (*w->routes[i].interface != '\0')
			buf_addc(out, ')');
	}
}

/*
 * Send one packet on each route. Fail only if no packet was sent: an interface
 * may have lost its link.
 */
static bool
send_packets(struct waking *w)
{
	int i, error = 0, sent = 0;

	for (i = 0; i < w->nroutes; i++) {
		if (wake_route_send(&w->routes[i], w->mac) == 0)
			sent++;
		else
			error = errno;
	}
	return sent > 0 || fail(w->result, "cannot send the packet%s%s: %s",
				   *w->routes[0].interface ? " through " : "",
				   w->routes[0].interface, strerror(error));
}

/* Send the packets before a ping. The function is a wait_host_step. */
static bool
send_before_ping(void *waking)
{
	return send_packets(waking);
}

/* Send a few packets, because a network may lose one. */
static void
send_only(struct waking *w)
{
	struct buf text = { 0 };
	int i;

	for (i = 0; i < PACKETS; i++) {
		if (i > 0)
			poll(NULL, 0, PACKET_PAUSE);
		if (!send_packets(w))
			return;
	}
	buf_addf(&text, "%d packets sent to ", PACKETS);
	describe(w, &text);
	buf_addc(&text, '\0');
	succeed(w->result, &text);
	buf_free(&text);
}

static void
show_only(struct waking *w)
{
	struct buf text = { 0 };

	buf_adds(&text, "would send packets to ");
	describe(w, &text);
	buf_addc(&text, '\0');
	succeed(w->result, &text);
	buf_free(&text);
}

void
wake_host(const struct invocation *inv, struct result *a, const void *unused)
{
	struct waking w = { .inv = inv, .result = a };

	(void)unused;
	if (a->host->target.kind == TARGET_UNIX) {
		fail(a, "a unix socket is on this machine, which is on");
		return;
	}
	if (!find_mac(&w) || !find_routes(&w))
		return;
	if (invocation_has(inv, OPT_DRY_RUN))
		show_only(&w);
	else if (inv->await == 0)
		send_only(&w);
	else
		wait_host_up(inv, a, send_before_ping, &w);
}

void
wake_host_note(struct result *a, const struct net_addr *reached)
{
	if (a->host->mac == NULL && reached->len > 0 &&
		(reached->sa.sa_family == AF_INET ||
			reached->sa.sa_family == AF_INET6))
		a->has_mac = neighbour_mac(reached, a->mac) == 0;
}

/* Report the MAC address, or why the address stays unknown. */
static void
conclude(struct result *a)
{
	char mac[MAC_TEXT_SIZE];
	struct buf text = { 0 };

	if (a->host->mac != NULL) {
		buf_addf(&text, "%s (from " CLIENT_CONF_NAME ")", a->host->mac);
	} else if (a->has_mac) {
		mac_format(a->mac, mac);
		buf_adds(&text, mac);
	}
	buf_addc(&text, '\0');
	if (text.len > 1)
		succeed(a, &text);
	else
		fail(a, "the host replies, but not from an attached network, "
			"so its MAC address cannot be learnt; " SET_MAC);
	buf_free(&text);
}

void
wake_host_learn(
	const struct invocation *inv, struct result *a, const void *unused)
{
	struct net_addr reached = { .len = 0 };
	struct endpoint e = endpoint_of(inv, a->host);
	struct request request;
	int result;

	(void)unused;
	request_init(&request, VERB_PING);
	e.reached = &reached;
	result = call_ask(&e, &request, &a->reply, &a->problem);
	if (result != 0) {
		a->result_kind = result == CALL_LATE ? RESULT_TIMED_OUT
						     : RESULT_UNREACHED;
		return;
	}
	wake_host_note(a, &reached);
	conclude(a);
}
