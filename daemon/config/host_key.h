/*
 * The host key in state_dir, by which clients recognize this machine. The
 * daemon creates the key at its first start, and never overwrites it.
 */
#ifndef BRIDLE_HOST_KEY_H
#define BRIDLE_HOST_KEY_H

#include "buf.h"
#include "config/settings.h"
#include "tls.h"

#include <limits.h>

/*
 * Create the host key if it does not exist yet, and check that no other user
 * can replace the file. Store the file name in `path`. Return 0, or -1 with a
 * line in `errors`.
 */
int host_key_prepare(
	const struct settings *, char path[PATH_MAX], struct buf *errors);

/*
 * Test if the daemon could use the host key. If there is no key yet, test if
 * the daemon could create a file in state_dir. Create no file. Return 0, or -1
 * with a line in `errors`.
 */
int host_key_test(const struct settings *, struct buf *errors);

/*
 * Like host_key_prepare(), but also read the key and store its fingerprint in
 * `fingerprint`. Return 0, or -1 with a line in `errors`.
 */
int host_key_fingerprint(const struct settings *,
	char fingerprint[TLS_FINGERPRINT_SIZE], struct buf *errors);

#endif
