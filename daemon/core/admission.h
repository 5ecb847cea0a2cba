/*
 * Admission of clients. The daemon accepts a connection, identifies its peer,
 * and checks the limits. A spare session gets the connection, or the client
 * gets a refusal of one line.
 */
#ifndef BRIDLE_ADMISSION_H
#define BRIDLE_ADMISSION_H

#include "net/listener.h"

#include <stdbool.h>

struct parent;

/* number of sessions that only clients of unix sockets can use */
#define ADMISSION_RESERVED 16

/*
 * Accept a few connections from a listener, and admit or refuse their clients.
 * Stop early if no spare session is ready, and after a refusal. Without a stop
 * after a refusal, many refused clients could delay other work.
 */
void admission_accept(struct parent *, const struct listener *);

/*
 * Like admission_accept(), but wait up to LAST_MS for spare sessions. Call this
 * before the listener closes.
 */
void admission_accept_last(struct parent *, const struct listener *);

/*
 * Give spare sessions to queued clients, while spare sessions are ready and
 * limits.sessions allows one more session.
 */
void admission_advance(struct parent *);

/* Refuse all queued clients. Call this when the daemon stops. */
void admission_stop(struct parent *);

/*
 * True if admission_accept() can admit or refuse the next client. Either a
 * spare session is ready, or no session will be ready soon.
 */
bool admission_ready(struct parent *, const struct listener *);

#endif
