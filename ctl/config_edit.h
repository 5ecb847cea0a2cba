/*
 * bridlectl config edit: a change that is checked before it counts.
 */
#ifndef BRIDLE_CONFIG_EDIT_H
#define BRIDLE_CONFIG_EDIT_H

#include "command.h"

#include <stdbool.h>

/*
 * Has a copy of the file edited until bridled finds no mistake in it, puts it
 * in the file's place, and has the daemon that runs with it take it. What
 * would shut out who is asking is refused without `force`.
 */
enum outcome config_edit(const char *file, bool force);

#endif
