/*
 * Sockets that the service manager opened for us: sd_listen_fds(3).
 */
#ifndef BRIDLE_ACTIVATION_H
#define BRIDLE_ACTIVATION_H

#include "listener.h"

/*
 * Makes listeners of the sockets that $LISTEN_FDS passes to this process, and
 * takes it out of the environment. To be called before anything else opens a
 * descriptor. Returns 0, also where none is passed; -1 and a line in errors
 * if one of them is no listening stream socket.
 */
int activation_take(struct listeners *, struct buf *errors);

#endif
