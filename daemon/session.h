/*
 * A session: the process that talks to one client, and to nobody else.
 */
#ifndef BRIDLE_SESSION_H
#define BRIDLE_SESSION_H

/*
 * Serves the client until either side ends it. `client` is a connected
 * non-blocking stream socket, `ask` the channel to the parent; all else must be
 * closed. `tcp` says that it is a TCP socket.
 */
void session_run(int client, int ask) __attribute__((noreturn));

#endif
