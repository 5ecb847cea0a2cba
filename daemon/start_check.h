/*
 * The checks of `bridled --check`, which test if the daemon could start with a
 * configuration.
 */
#ifndef BRIDLE_START_CHECK_H
#define BRIDLE_START_CHECK_H

#include "command_line.h"
#include "config/settings.h"
#include "sys/account.h"

/*
 * Check if the daemon could start with these settings, which come from the file
 * o->config. If o->access is set, also check the access of this user. Print the
 * results. Return 0. On failure, print a message and return an exit status.
 */
int start_check(const struct options *o, const struct settings *);

/*
 * Print a warning if the verbs `list` and `kill` could not see other users'
 * processes.
 */
void start_check_proc(const struct settings *, const struct account *user);

#endif
