/*
 * The user that the daemon runs as.
 */
#ifndef BRIDLE_SERVICE_USER_H
#define BRIDLE_SERVICE_USER_H

#include "config/settings.h"
#include "sys/account.h"

/*
 * Find the user that the daemon runs as. If root starts the daemon, this is the
 * user that the setting `user` names. Otherwise, this is the user of the
 * present process. Return 0, or print a message and return an exit status.
 */
int service_user_find(const struct settings *, struct account *user);

/*
 * Change this process to the user, unless the process already runs as this
 * user. Return 0, or -1 with errno.
 */
int service_user_become(const struct settings *, const struct account *user);

#endif
