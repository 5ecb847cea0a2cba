/*
 * A copy of the configuration that was last applied with success. The copy is
 * the file FILE.served in the folder of the configuration. Only a user who can
 * write in this folder can write the copy. The copy has the main file and the
 * files of conf.d.
 */
#ifndef BRIDLE_CONFIG_SERVED_H
#define BRIDLE_CONFIG_SERVED_H

#include "config/config_changes.h"

#include <stdbool.h>

/*
 * Make a copy of the configuration `file`, which must be an absolute path.
 * Return 0. On failure, remove an old copy, print a message, and return -1.
 */
int config_served_save(const char *file);

/*
 * Compare the configuration with its copy. Add each difference to the changes,
 * so that config_changes_undo() restores the files of the copy. `effective` is
 * the text of the daemon's effective settings, or NULL if no daemon runs.
 * Return false and add nothing in two cases: there is no copy, or the daemon
 * serves other settings than the copy. In the second case, somebody has
 * reloaded the daemon without config_apply().
 */
bool config_served_compare(
	const char *file, const char *effective, struct config_changes *);

#endif
