/*
 * What is in force in the daemon that runs, as bridled --in-force has it.
 */
#ifndef BRIDLE_CONFIG_IN_FORCE_H
#define BRIDLE_CONFIG_IN_FORCE_H

#include "buf.h"

#include <stdbool.h>

/*
 * Appends what the daemon that runs with this file has in force. False if
 * there is no such daemon, or it is not known; then why, in lines.
 */
bool config_in_force(const char *file, struct buf *text, struct buf *why);

/* Of such a text what is settings, without the comments at its head. */
const char *config_in_force_settings(const char *text);

/* Appends the daemon's state_dir, where such a text tells it. */
void config_in_force_state_dir(const char *text, struct buf *dir);

#endif
