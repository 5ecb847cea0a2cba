/*
 * Draws a screen with the results of all hosts over the previous screen.
 */
#ifndef BRIDLE_LIVE_SCREEN_H
#define BRIDLE_LIVE_SCREEN_H

#include "cli/exit_status.h"
#include "cli/invocation.h"
#include "fanout/result.h"

/*
 * Draw the results, which are indexed by host. If the `host` of a result is
 * NULL, the result has not arrived yet. Return 0, and set *outcome to the
 * combined outcome of all hosts. Return -1 if no host has the columns that the
 * options name, or if the output failed. In this case, a message has been
 * printed.
 */
int live_screen_show(
	const struct invocation *, struct result *, enum outcome *outcome);

#endif
