/*
 * Reads the user's key, by which daemons identify the user.
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
 * problem. CLIENT_KEY_NOW reads the key file now. CLIENT_KEY_LATE reads the key
 * file when the first connection needs the key.
 *
 * Calls with the same key file return the same context, because making a
 * context takes longer than connecting. Contexts are never freed.
 */
enum client_key_when { CLIENT_KEY_NOW, CLIENT_KEY_LATE };
struct tls_context *client_key_context(
	const struct endpoint *, enum client_key_when, struct buf *problem);

/*
 * Print the commands by which the user can make their key known to the daemon.
 */
void client_key_hint(const struct endpoint *);

#endif
