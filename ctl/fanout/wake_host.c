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

#define PACKETS 3        /* number of packets if the value of --wait is 0 */
#define PACKET_PAUSE 100 /* ms between two of these packets */

#define SET_MAC "write mac into the host's entry of " CLIENT_CONF_NAME

/* The state of waking one host. */
struct waking {
	const struct invocation *inv;
	struct result *result;
	unsigned char mac[MAC_SIZE];
	const struct host *relay; /* the host of --via, or NULL */
	struct wake_route routes[WAKE_ROUTES_MAX];
	int nroutes;
	bool sent; /* at least one packet was sent */
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
 * Find the MAC address of the host in bridlectl.conf. If that file has no
 * address, search the learnt addresses.
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
	       fail(a, "the MAC address of this host is unknown; " SET_MAC
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
 * Find a network of this machine that contains one of the host's addresses.
 * Return the number of routes to this network.
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

/* Append a text such as "52:54:00:12:34:56 through eth0 (10.1.0.255:9)". */
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
 * Send one packet on each route. Return true if at least one packet was sent.
 * Other packets can fail, because an interface can be without a link.
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

/*
 * Send a request for the verb `wake` to the endpoint. Returns 0 if the reply
 * has CODE_OK. Otherwise turn the result into a failure, and return -1.
 */
static int
request_wake(struct result *a, const struct endpoint *e, const char *mac,
	bool dry_run, struct reply *reply)
{
	struct buf problem = { 0 }, text = { 0 };
	struct request request;
	int result;

	request_init(&request, VERB_WAKE);
	request.strings[REQUEST_MAC] = mac;
	request.dry_run = dry_run;
	result = call_ask(e, &request, reply, &problem);
	if (result == 0 && reply->code == CODE_OK) {
		buf_free(&problem);
		return 0;
	}
	if (e->target != &a->host->target)
		buf_addf(&text, "%s: ", e->target->name);
	if (result == 0)
		buf_addf(&text, "%s (%d)", reply->said, reply->code);
	else
		buf_adds(&text, buf_str(&problem));
	result_fail(a,
		result == 0 ? result_kind_of(reply->code) : RESULT_UNREACHED,
		buf_str(&text));
	buf_free(&problem);
	buf_free(&text);
	return -1;
}

/*
 * Ask the relay to send the packet. Append the relay's status text to `said`.
 */
static bool
ask_relay(struct waking *w, struct buf *said)
{
	struct endpoint e = endpoint_of(w->inv, w->relay);
	struct reply reply = { 0 };
	char mac[MAC_TEXT_SIZE];
	int result;

	/*
	 * Do not use --fingerprint here. The option is for the host, not for
	 * the relay.
	 */
	e.pin = w->relay->fingerprint;
	e.pin_source = CLIENT_CONF_NAME;
	mac_format(w->mac, mac);
	result = request_wake(w->result, &e, mac,
		invocation_has(w->inv, OPT_DRY_RUN), &reply);
	if (result == 0)
		buf_addf(said, "%s: %s", w->relay->label, reply.said);
	reply_free(&reply);
	return result == 0;
}

/*
 * Send the packets before a ping. After the first success, a failure does not
 * end the wait. The function is a wait_host_step.
 */
static bool
send_before_ping(void *waking)
{
	struct waking *w = waking;
	struct buf said = { 0 };
	bool sent = w->relay != NULL ? ask_relay(w, &said) : send_packets(w);

	buf_free(&said);
	w->sent |= sent;
	return w->sent;
}

/* Send one request to the relay, and show the relay's reply. */
static void
send_by_relay(struct waking *w)
{
	struct buf said = { 0 };

	if (ask_relay(w, &said)) {
		buf_addc(&said, '\0');
		succeed(w->result, &said);
	}
	buf_free(&said);
}

/* Send the packet a few times, because the network can lose a packet. */
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

/*
 * True if the host is a unix socket. In this case, turn the result into a
 * failure.
 */
static bool
refuse_unix(struct result *a)
{
	if (a->host->target.kind != TARGET_UNIX)
		return false;
	fail(a, "a unix socket is on this machine, which is already running");
	return true;
}

void
wake_host(const struct invocation *inv, struct result *a, const void *unused)
{
	bool dry_run = invocation_has(inv, OPT_DRY_RUN);
	struct waking w = { .inv = inv, .result = a };

	(void)unused;
	if (inv->via.n > 0)
		w.relay = &inv->via.v[0];
	if (refuse_unix(a))
		return;
	if (!find_mac(&w) || (w.relay == NULL && !find_routes(&w)))
		return;
	if (w.relay != NULL && (dry_run || inv->await == 0))
		send_by_relay(&w);
	else if (dry_run)
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

/* True if the list, separated by spaces, has the address. */
static bool
has_address(const char *list, const struct net_addr *reached)
{
	struct net_addr plain = *reached;
	char text[INET6_ADDRSTRLEN] = "";
	size_t len;

	net_unmap(&plain);
	if (plain.sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &plain.in.sin_addr, text, sizeof(text));
	else if (plain.sa.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &plain.in6.sin6_addr, text, sizeof(text));
	len = strlen(text);
	for (; *list != '\0'; list += *list == ' ') {
		if (strcspn(list, " ") == len && memcmp(list, text, len) == 0)
			return true;
		list += strcspn(list, " ");
	}
	return false;
}

/*
 * Take the MAC address of the interface that has the address `reached`. If the
 * table has only one interface, always take this interface. A router can have
 * translated the address.
 */
static void
take_own(
	struct result *a, const struct table *t, const struct net_addr *reached)
{
	struct buf text = { 0 };
	size_t i;

	for (i = 0; i < t->nrows && !a->has_mac; i++)
		if (t->nrows == 1 ||
			has_address(table_named_text(t, i, "addresses", &text),
				reached))
			a->has_mac = mac_parse(
				table_named_text(t, i, "mac", &text), a->mac);
	buf_free(&text);
}

/*
 * Ask the host for its MAC address. bridlectl must ask if a router is between
 * this machine and the host. The host must allow this client to use `wake`, and
 * the helper of the host must be enabled.
 */
static void
ask_host(const struct invocation *inv, struct result *a,
	const struct net_addr *reached)
{
	struct endpoint e = endpoint_of(inv, a->host);
	struct reply reply = { 0 };

	if (request_wake(a, &e, REQUEST_MAC_OWN, false, &reply) == 0)
		take_own(a, &reply.table, reached);
	reply_free(&reply);
}

/* Report the MAC address, or why the address stays unknown. */
static void
conclude(struct result *a)
{
	struct buf why = { 0 };
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
	else {
		buf_adds(&why, buf_str(&a->problem));
		fail(a,
			"the host is in no network of this machine, and did "
			"not tell its MAC address%s%s%s; " SET_MAC,
			why.len > 0 ? " (" : "", buf_str(&why),
			why.len > 0 ? ")" : "");
	}
	buf_free(&why);
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
	if (refuse_unix(a))
		return;
	request_init(&request, VERB_PING);
	e.reached = &reached;
	result = call_ask(&e, &request, &a->reply, &a->problem);
	if (result != 0) {
		a->result_kind = result == CALL_LATE ? RESULT_TIMED_OUT
						     : RESULT_UNREACHED;
		return;
	}
	wake_host_note(a, &reached);
	if (a->host->mac == NULL && !a->has_mac)
		ask_host(inv, a, &reached);
	conclude(a);
}
