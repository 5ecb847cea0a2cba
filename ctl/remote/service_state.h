/*
 * Finds out if systemd fails to start the daemon of this machine.
 */
#ifndef BRIDLE_SERVICE_STATE_H
#define BRIDLE_SERVICE_STATE_H

#include <stdbool.h>

/*
 * True if systemd listens at the unix socket of `fd`, and the daemon's service
 * has failed, once or again and again. `fd` is a connected socket. False if the
 * service runs, even if the daemon is slow or is stopping. False if the state
 * is unknown. The function can take up to a second.
 */
bool service_state_fails(int fd);

/*
 * True if these properties belong to a service that does not start. The text
 * has the lines ActiveState, SubState and NRestarts of systemctl(1).
 */
bool service_state_is_failure(const char *properties);

#endif
