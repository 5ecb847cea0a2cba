/*
 * The machines that bridle-discover has found. bridle-discover can write
 * several lines for one machine, because each interface and each address family
 * has a line. No I/O.
 *
 * The texts come from the network, and can be false. bridle-discover has
 * escaped the texts, so all bytes are from 0x20 to 0x7e.
 */
#ifndef BRIDLE_DISCOVERED_H
#define BRIDLE_DISCOVERED_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>

struct discovered_address {
	char *address; /* with %interface if the address is link-local */
	char *interface;
};

struct discovered {
	char *name; /* name of the service */
	char *host;
	unsigned port;
	char *fingerprint; /* announced, not verified; "": none */
	size_t naddresses; /* at least 1 */
	struct discovered_address
		*addresses; /* the most useful address first */
};

struct discoveries {
	size_t n;
	struct discovered *v;
};

/*
 * Add the machines in the output of bridle-discover. search.h describes the
 * lines of this output. Lines with the same name, host, port and fingerprint
 * become one machine. The machines are ordered by host. Return 0, or -1 with a
 * sentence appended to error.
 */
int discoveries_read(struct discoveries *, const char *text, struct buf *error);

/*
 * Append the name that the machine can have in bridlectl.conf. This name is the
 * machine's host name, without ".local". If the host name is not valid, append
 * nothing and return false. A valid name has labels of letters, digits and "-".
 * The last label is not a number. Therefore the name cannot be mistaken for an
 * address.
 */
bool discovered_conf_name(const struct discovered *, struct buf *);

void discoveries_free(struct discoveries *);

#endif
