/* A check that the daemon could open all its listeners at its start. */
#ifndef BRIDLE_LISTEN_CHECK_H
#define BRIDLE_LISTEN_CHECK_H

#include "config/settings.h"

#include <stdbool.h>

/*
 * Test each listener of the settings without serving clients. A socket in use
 * by the service manager, or by the daemon of the file `config`, is no error.
 * Append to `errors` a line for each listener that the daemon could not open at
 * its start. Append to `notes` a line for each listener that this process
 * cannot test. If `passed` is true, a service manager opens the TCP sockets.
 * The service manager can use each port, and each address that the machine does
 * not have yet.
 */
void listen_check(const struct settings *, const char *config, bool passed,
	struct buf *errors, struct buf *notes);

/* True if a process of this network namespace listens at the unix socket. */
bool listen_check_is_live(const char *unix_path);

#endif
