/*
 * Sockets that the service manager has opened for the daemon; see
 * sd_listen_fds(3).
 */
#ifndef BRIDLE_SD_ACTIVATION_H
#define BRIDLE_SD_ACTIVATION_H

#include "net/listener.h"

/*
 * Make listeners of the sockets that $LISTEN_FDS passes to this process, and
 * unset the variables $LISTEN_*. A unix socket with the name "root" is for
 * root. Call this before anything opens a descriptor. Return 0, perhaps with a
 * warning in `errors`. Return 0 also if no socket is passed. Return -1 with a
 * line in `errors` if a passed descriptor is not a listening stream socket.
 */
int sd_activation_take(struct listeners *, struct buf *errors);

#endif
