/*
 * The key by which clients know this machine, in state_dir. It is made at the
 * first start, and never overwritten.
 */
#ifndef BRIDLE_HOST_KEY_H
#define BRIDLE_HOST_KEY_H

#include "buf.h"
#include "settings.h"
#include "tls.h"

#include <stdbool.h>

/* Whether any listener needs it. */
bool host_key_needed(const struct settings *);

/*
 * Reads the key, or makes it, and prints its fingerprint into `fingerprint`,
 * if that is not NULL. Returns the context for the TLS listeners, ready to
 * be forked, the caller's; NULL with the reason in errors.
 */
struct tls_context *host_key_open(const struct settings *,
	char fingerprint[TLS_FINGERPRINT_SIZE], struct buf *errors);

#endif
