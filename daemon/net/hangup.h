/*
 * A set of client sockets that reports when a client hangs up. The set is an
 * epoll(7) instance. The parent closes its own descriptors of the sockets. The
 * set still watches a socket until the session closes its own descriptor of the
 * socket.
 */
#ifndef BRIDLE_HANGUP_H
#define BRIDLE_HANGUP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Create a set. Return its descriptor, or -1 with errno. The descriptor becomes
 * readable when a client hangs up.
 */
int hangup_open(void);

/*
 * Add a client's socket to the set. The caller may then close its own
 * descriptor of the client. `number` stands for the client in hangup_next(). A
 * failure is not reported, because the session also notices the hang-up.
 */
void hangup_add(int set, int client, uint64_t number);

/*
 * True if a client has hung up. Store the client's number in *number. Each
 * client is reported once.
 */
bool hangup_next(int set, uint64_t *number);

#endif
