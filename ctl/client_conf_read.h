/*
 * From the settings of one parsed file to what bridlectl knows.
 */
#ifndef BRIDLE_CLIENT_CONF_READ_H
#define BRIDLE_CLIENT_CONF_READ_H

#include "client_conf.h"
#include "conf.h"

/*
 * Adds what the file says and no file before it has said. All mistakes are
 * told at once. 0, or -1 with errors.
 */
int client_conf_take(struct client_conf *, struct conf *);

#endif
