/*
 * Reads the user's key. Daemons identify the user by this key.
 */
#ifndef BRIDLE_CLIENT_KEY_H
#define BRIDLE_CLIENT_KEY_H

#include "buf.h"
#include "remote/endpoint.h"
#include "tls.h"

/*
 * Append the path of the default key. Returns 0, or -1 with a sentence appended
 * to problem.
 */
int client_key_path(struct buf *path, struct buf *problem);

/*
 * Return a TLS context with the user's key, or NULL with a sentence appended to
 * problem. Calls with the same key file return the same context, because making
 * a context takes longer than connecting. Contexts are never freed.
 * CLIENT_KEY_NOW reads the file now. CLIENT_KEY_LATE reads the file when the
 * first connection needs the key.
 */
enum client_key_when { CLIENT_KEY_NOW, CLIENT_KEY_LATE };
struct tls_context *client_key_context(
	const struct endpoint *, enum client_key_when, struct buf *problem);

/* Print how the user can make their key known to the daemon. */
void client_key_hint(const struct endpoint *);

#endif
