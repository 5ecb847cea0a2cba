/*
 * Implements the command "config edit", which changes a configuration file
 * after a check.
 */
#ifndef BRIDLE_CONFIG_EDIT_H
#define BRIDLE_CONFIG_EDIT_H

#include "cli/exit_status.h"

#include <stdbool.h>

/*
 * Let the user edit a copy of the file until bridled accepts the copy. Replace
 * the file by the copy, and apply the file with config_apply(). If the change
 * takes away the user's access, refuse the change unless `force` is true.
 * Return the outcome of the command.
 */
enum outcome config_edit(const char *file, bool force);

#endif
