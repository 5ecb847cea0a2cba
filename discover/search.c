#include "search.h"

#include "printable.h"
#include "tls.h"

#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-common/domain.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-common/simple-watch.h>
#include <avahi-common/timeval.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define TYPE "_bridle._tcp"
/*
 * Longest time for the address of one service, in seconds. avahi-daemon itself
 * would wait 5 seconds for a machine that has gone.
 */
#define RESOLVE_SECONDS 2
/* Longest search without an end in the command line, in seconds. */
#define SEARCH_SECONDS_MAX 5

struct service {
	struct service *next;
	struct search *search;
	AvahiIfIndex interface;
	AvahiProtocol protocol;
	char *name;
	char *domain;
	AvahiServiceResolver *resolver; /* NULL: resolved, or given up */
	AvahiTimeout *deadline;         /* NULL if `resolver` is NULL */
	struct buf line;                /* the service's line; empty: none */
};

struct search {
	AvahiSimplePoll *poll;
	const AvahiPoll *api;
	AvahiClient *client;
	AvahiServiceBrowser *browser;
	AvahiTimeout *end;
	bool until_all; /* true: end when all known services are reported */
	bool over;      /* true: no new services are taken */
	bool cut;       /* true: there were more than SEARCH_SERVICES_MAX */
	size_t nservices;
	size_t npending; /* number of services with a resolver */
	struct service *services;
	struct buf *problem;
};

static void
fail(struct search *s, const char *what, int error)
{
	if (s->problem->len == 0)
		buf_addf(s->problem, "%s: %s", what, avahi_strerror(error));
	avahi_simple_poll_quit(s->poll);
}

/* End the poll loop if the search is over and no service is pending. */
static void
check_end(struct search *s)
{
	if (s->over && s->npending == 0)
		avahi_simple_poll_quit(s->poll);
}

static void
stop_resolving(struct service *e)
{
	if (e->resolver == NULL)
		return;
	avahi_service_resolver_free(e->resolver);
	e->resolver = NULL;
	if (e->deadline != NULL)
		e->search->api->timeout_free(e->deadline);
	e->deadline = NULL;
	e->search->npending--;
}

static void
drop(struct service *e)
{
	struct service **at = &e->search->services;

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	e->search->nservices--;
	stop_resolving(e);
	free(e->name);
	free(e->domain);
	buf_free(&e->line);
	free(e);
}

static void
add_field(struct buf *line, const char *text)
{
	printable_add(line, text, strlen(text));
	buf_addc(line, '\t');
}

/* Append the fingerprint of the TXT record, if the record has a valid one. */
static void
add_fingerprint(struct buf *line, AvahiStringList *txt)
{
	AvahiStringList *entry = avahi_string_list_find(txt, "fp");
	char *key, *value;
	size_t len;

	if (entry == NULL ||
		avahi_string_list_get_pair(entry, &key, &value, &len) != 0)
		return;
	if (value != NULL && strlen(value) == len &&
		tls_fingerprint_valid(value))
		printable_add(line, value, len);
	avahi_free(key);
	avahi_free(value);
}

static bool
is_link_local(const AvahiAddress *a)
{
	const uint8_t *six = a->data.ipv6.address;

	return a->proto == AVAHI_PROTO_INET6 && six[0] == 0xfe &&
	       (six[1] & 0xc0) == 0x80;
}

static void
add_address(struct buf *line, const AvahiAddress *a, const char *interface)
{
	char text[AVAHI_ADDRESS_STR_MAX];

	avahi_address_snprint(text, sizeof(text), a);
	buf_adds(line, text);
	if (is_link_local(a) && *interface != '\0') {
		buf_addc(line, '%');
		printable_add(line, interface, strlen(interface));
	}
	buf_addc(line, '\t');
}

static void
add_line(struct service *e, const char *host, const AvahiAddress *address,
	uint16_t port, AvahiStringList *txt)
{
	char interface[IF_NAMESIZE] = "";

	if (e->interface > 0)
		if_indextoname((unsigned)e->interface, interface);
	add_field(&e->line, e->name);
	add_field(&e->line, host);
	add_address(&e->line, address, interface);
	buf_addf(&e->line, "%u\t", port);
	add_field(&e->line, interface);
	add_fingerprint(&e->line, txt);
	buf_addc(&e->line, '\n');
}

static void
on_resolved(AvahiServiceResolver *resolver, AvahiIfIndex interface,
	AvahiProtocol protocol, AvahiResolverEvent event, const char *name,
	const char *type, const char *domain, const char *host,
	const AvahiAddress *address, uint16_t port, AvahiStringList *txt,
	AvahiLookupResultFlags flags, void *arg)
{
	struct service *e = arg;

	(void)resolver;
	(void)interface;
	(void)protocol;
	(void)name;
	(void)type;
	(void)domain;
	(void)flags;
	if (event == AVAHI_RESOLVER_FOUND && host != NULL && address != NULL)
		add_line(e, host, address, port, txt);
	stop_resolving(e);
	check_end(e->search);
}

/* Give the service up: its machine has probably gone. */
static void
on_deadline(AvahiTimeout *timeout, void *arg)
{
	struct service *e = arg;

	(void)timeout;
	stop_resolving(e);
	check_end(e->search);
}

static void
resolve(struct service *e)
{
	struct search *s = e->search;
	struct timeval when;

	e->resolver = avahi_service_resolver_new(s->client, e->interface,
		e->protocol, e->name, TYPE, e->domain, e->protocol,
		AVAHI_LOOKUP_USE_MULTICAST, on_resolved, e);
	if (e->resolver == NULL)
		return;
	s->npending++;
	avahi_elapse_time(&when, RESOLVE_SECONDS * 1000, 0);
	e->deadline = s->api->timeout_new(s->api, &when, on_deadline, e);
	if (e->deadline == NULL)
		stop_resolving(e);
}

static struct service *
find(struct search *s, AvahiIfIndex interface, AvahiProtocol protocol,
	const char *name, const char *domain)
{
	struct service *e;

	for (e = s->services; e != NULL; e = e->next)
		if (e->interface == interface && e->protocol == protocol &&
			strcmp(e->name, name) == 0 &&
			avahi_domain_equal(e->domain, domain))
			break;
	return e;
}

static void
add(struct search *s, AvahiIfIndex interface, AvahiProtocol protocol,
	const char *name, const char *domain)
{
	struct service *e;

	if (find(s, interface, protocol, name, domain) != NULL)
		return;
	if (s->nservices == SEARCH_SERVICES_MAX) {
		s->cut = true;
		return;
	}
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return;
	e->search = s;
	e->interface = interface;
	e->protocol = protocol;
	e->name = strdup(name);
	e->domain = strdup(domain);
	e->next = s->services;
	s->services = e;
	s->nservices++;
	if (e->name != NULL && e->domain != NULL)
		resolve(e);
	else
		drop(e);
}

static void
on_end(AvahiTimeout *timeout, void *arg)
{
	struct search *s = arg;

	(void)timeout;
	s->over = true;
	check_end(s);
}

static void
on_browsed(AvahiServiceBrowser *browser, AvahiIfIndex interface,
	AvahiProtocol protocol, AvahiBrowserEvent event, const char *name,
	const char *type, const char *domain, AvahiLookupResultFlags flags,
	void *arg)
{
	struct search *s = arg;
	struct service *gone;

	(void)browser;
	(void)type;
	(void)flags;
	switch (event) {
	case AVAHI_BROWSER_NEW:
		if (!s->over)
			add(s, interface, protocol, name, domain);
		break;
	case AVAHI_BROWSER_REMOVE:
		gone = find(s, interface, protocol, name, domain);
		if (gone != NULL)
			drop(gone);
		check_end(s);
		break;
	case AVAHI_BROWSER_ALL_FOR_NOW:
		if (s->until_all)
			on_end(NULL, s);
		break;
	case AVAHI_BROWSER_FAILURE:
		fail(s, "cannot search", avahi_client_errno(s->client));
		break;
	case AVAHI_BROWSER_CACHE_EXHAUSTED:
		break;
	}
}

static void
on_client(AvahiClient *client, AvahiClientState state, void *arg)
{
	if (state == AVAHI_CLIENT_FAILURE)
		fail(arg, "avahi-daemon has ended", avahi_client_errno(client));
}

/* Connect to avahi-daemon, and begin to browse. Return 0 or -1. */
static int
begin(struct search *s, unsigned seconds)
{
	struct timeval when;
	int error = 0;

	s->until_all = seconds == 0;
	if ((s->poll = avahi_simple_poll_new()) == NULL) {
		buf_adds(s->problem, "out of memory");
		return -1;
	}
	s->api = avahi_simple_poll_get(s->poll);
	s->client = avahi_client_new(
		s->api, (AvahiClientFlags)0, on_client, s, &error);
	if (s->client == NULL) {
		buf_addf(s->problem,
			"cannot reach avahi-daemon on this machine: %s; "
			"install the package avahi-daemon, or start its "
			"service",
			avahi_strerror(error));
		return -1;
	}
	s->browser = avahi_service_browser_new(s->client, AVAHI_IF_UNSPEC,
		AVAHI_PROTO_UNSPEC, TYPE, NULL, AVAHI_LOOKUP_USE_MULTICAST,
		on_browsed, s);
	if (s->browser == NULL) {
		fail(s, "cannot search", avahi_client_errno(s->client));
		return -1;
	}
	avahi_elapse_time(
		&when, (seconds ? seconds : SEARCH_SECONDS_MAX) * 1000, 0);
	s->end = s->api->timeout_new(s->api, &when, on_end, s);
	return 0;
}

static void
finish(struct search *s)
{
	while (s->services != NULL)
		drop(s->services);
	if (s->end != NULL)
		s->api->timeout_free(s->end);
	if (s->browser != NULL)
		avahi_service_browser_free(s->browser);
	if (s->client != NULL)
		avahi_client_free(s->client);
	if (s->poll != NULL)
		avahi_simple_poll_free(s->poll);
}

int
search_run(unsigned seconds, struct buf *lines, struct buf *problem)
{
	struct search s = { .problem = problem };
	const struct service *e;

	if (begin(&s, seconds) == 0)
		avahi_simple_poll_loop(s.poll);
	for (e = s.services; problem->len == 0 && e != NULL; e = e->next)
		buf_add(lines, e->line.data, e->line.len);
	finish(&s);
	if (problem->len > 0)
		return -1;
	return s.cut ? 1 : 0;
}
