/*
 * Announces this machine on the network by DNS-SD, with a service file for
 * avahi-daemon. Only root can write this file.
 */
#ifndef BRIDLE_ANNOUNCE_H
#define BRIDLE_ANNOUNCE_H

#include "cli/exit_status.h"

/*
 * Write the service file for the daemon with this configuration. The file has
 * the fingerprint of the host key and the port of a TLS listener. The listener
 * is the first TLS listener that is not on the loopback interface. If the
 * daemon runs, use the daemon's effective settings instead of the configuration
 * file. Return OUTCOME_DONE, or another outcome after printing a message.
 */
enum outcome announce_on(const char *config);

/*
 * Remove the service file, if there is one. Return OUTCOME_DONE, or another
 * outcome after printing a message.
 */
enum outcome announce_off(void);

/*
 * If bridlectl has written a service file, write the file again for the present
 * port and host key. If there is no TLS listener any more, remove the file.
 * Print a message after a change. Without a service file, do nothing, and run
 * no program. Return 0, or -1 after printing a message.
 */
int announce_refresh(const char *config);

#endif
