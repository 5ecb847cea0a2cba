/*
 * A session: the process that talks to one client, and to nobody else.
 */
#ifndef BRIDLE_SESSION_H
#define BRIDLE_SESSION_H

struct tls_context;

/*
 * Serves the client until either side ends it, within TLS unless the context
 * is NULL. `client` is a connected non-blocking stream socket, `ask` the
 * channel to the parent; all else must be closed.
 */
void session_run(int client, int ask, struct tls_context *)
	__attribute__((noreturn));

#endif
