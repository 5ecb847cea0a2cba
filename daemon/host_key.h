/*
 * The key by which clients know this machine, in state_dir. It is made at the
 * first start, and never overwritten.
 */
#ifndef BRIDLE_HOST_KEY_H
#define BRIDLE_HOST_KEY_H

#include "buf.h"
#include "settings.h"
#include "tls.h"

#include <limits.h>
#include <stdbool.h>

/* Whether any listener needs it. */
bool host_key_needed(const struct settings *);

/*
 * Makes the key, if there is none yet, and sees that nobody else can put
 * another there. `path` is its file. 0, or -1 with the reason in errors.
 */
int host_key_prepare(
	const struct settings *, char path[PATH_MAX], struct buf *errors);

/* The same, and reads the key to tell its fingerprint. */
int host_key_fingerprint(const struct settings *,
	char fingerprint[TLS_FINGERPRINT_SIZE], struct buf *errors);

#endif
