/*
 * Runs bridle-discover, the program that links Avahi's library.
 */
#ifndef BRIDLE_DISCOVER_RUN_H
#define BRIDLE_DISCOVER_RUN_H

#include "cli/exit_status.h"
#include "hosts/discovered.h"

/*
 * Search for `seconds` seconds. If `seconds` is 0, search until Avahi has seen
 * all machines. Return OUTCOME_DONE, or another outcome after printing a
 * message.
 */
enum outcome discover_run(unsigned seconds, struct discoveries *);

#endif
