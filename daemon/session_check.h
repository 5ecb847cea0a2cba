/*
 * A test for `bridled --check`. It shows if the daemon could start its
 * sessions.
 */
#ifndef BRIDLE_SESSION_CHECK_H
#define BRIDLE_SESSION_CHECK_H

#include "buf.h"
#include "config/settings.h"
#include "sys/account.h"

/*
 * Append a line to `errors` for each reason why the daemon could not start
 * sessions with these settings, as the user `user`. Check state_dir and the
 * host key only if the settings have a TLS listener. Create no file. Call this
 * only with the rights of the user who starts the daemon.
 */
void session_check(const struct settings *, const struct account *user,
	struct buf *errors);

#endif
