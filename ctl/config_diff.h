/*
 * bridlectl config diff: was it reloaded?
 */
#ifndef BRIDLE_CONFIG_DIFF_H
#define BRIDLE_CONFIG_DIFF_H

#include "command.h"

/*
 * Shows by diff(1) how what is in force differs from what the file would
 * give; both as bridled prints them, so that only what counts differs.
 */
enum outcome config_diff(const char *file);

#endif
