/*
 * A session is the process that serves one client and talks to the parent.
 */
#ifndef BRIDLE_SESSION_H
#define BRIDLE_SESSION_H

struct tls_context;

/*
 * Serve the client until either side ends the connection. Use TLS unless the
 * context is NULL. `client` is a connected non-blocking stream socket. `parent`
 * is the channel to the parent. The caller has closed all other descriptors.
 */
void session_run(int client, int parent, struct tls_context *)
	__attribute__((noreturn));

#endif
