/*
 * Checks the key of a host against --fingerprint, bridlectl.conf or
 * known_hosts.
 */
#ifndef BRIDLE_HOST_TRUST_H
#define BRIDLE_HOST_TRUST_H

#include "buf.h"
#include "remote/endpoint.h"

#include <stdbool.h>

enum host_trust {
	HOST_TRUST_YES,
	HOST_TRUST_NO, /* `problem` says why */
	/* the host is unknown, and the caller can ask the user */
	HOST_TRUST_ASK
};

/*
 * Check the key that the host has shown. With --accept-new, store the key of an
 * unknown host in known_hosts. If the result is HOST_TRUST_NO, append a
 * sentence to problem. Further lines of problem say what the user can do.
 */
enum host_trust host_trust_check(
	const struct endpoint *, const char *fingerprint, struct buf *problem);

/*
 * Ask the user if the key belongs to the host. If the user says yes, store the
 * key in known_hosts and return 0. Otherwise return -1 with a sentence appended
 * to problem.
 */
int host_trust_ask(
	const struct endpoint *, const char *fingerprint, struct buf *problem);

/*
 * Print the key on stderr, and explain how the user can compare the key with
 * the key on the host.
 */
void host_trust_show(const struct target *, const char *fingerprint);

/*
 * Append the path of known_hosts. Returns 0, or -1 with a sentence appended to
 * problem.
 */
int host_trust_file(struct buf *path, struct buf *problem);

#endif
