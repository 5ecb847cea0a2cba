/*
 * Trust the keys of several hosts, with one question for all hosts.
 */
#ifndef BRIDLE_TRUST_MANY_H
#define BRIDLE_TRUST_MANY_H

#include "cli/invocation.h"
#include "trust/trust_list.h"

/*
 * Fetch the keys of all hosts of the invocation in parallel, and show the keys.
 * If `list` is not NULL, store the keys that `list` contains. If `list` is
 * NULL, ask for a confirmation, and store all keys. With -y, do not ask. A key
 * that differs from `list` or from bridlectl.conf is never stored. All hosts
 * must use TLS.
 */
enum outcome trust_many(const struct invocation *, const struct trust_list *);

#endif
