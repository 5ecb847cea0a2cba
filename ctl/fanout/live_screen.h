/*
 * Draw a screen with the results of all hosts over the previous screen.
 */
#ifndef BRIDLE_LIVE_SCREEN_H
#define BRIDLE_LIVE_SCREEN_H

#include "cli/invocation.h"
#include "cli/exit_status.h"
#include "fanout/result.h"

/*
 * Draw the results, which are indexed by host. A result whose `host` is NULL
 * has not arrived yet. Return 0, and set *outcome to the outcome of all hosts.
 * Return -1 if no host has the columns that the options name, or if the output
 * failed. A message has been printed in this case.
 */
int live_screen_show(
	const struct invocation *, struct result *, enum outcome *outcome);

#endif
