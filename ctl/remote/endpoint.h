/*
 * The parameters of a call to one host: the target, the keys of both sides, and
 * the time limits.
 */
#ifndef BRIDLE_ENDPOINT_H
#define BRIDLE_ENDPOINT_H

#include "cli/invocation.h"
#include "hosts/host.h"
#include "net.h"

#include <stdbool.h>

struct endpoint {
	const struct target *target;
	/* path of the user's key; NULL: the default key */
	const char *identity;
	/* fingerprint that the host's key must have, or NULL */
	const char *pin;
	const char *pin_source; /* name of the option or file that sets `pin` */
	bool accept_new;        /* true: trust the key of an unknown host */
	unsigned connect_timeout; /* time limit in seconds; 0: not given */
	unsigned timeout; /* time limit of the call in seconds; 0: not given */
	/* where to store the address of the reached host; NULL: nowhere */
	struct net_addr *reached;
};

/*
 * Return the endpoint of a host. The endpoint has pointers into both arguments.
 * Both arguments must therefore outlive the endpoint.
 */
struct endpoint endpoint_of(const struct invocation *, const struct host *);

#endif
