/*
 * Finds candidates through the local daemon: names of processes, commands that
 * the user may run, and arguments of these commands.
 */
#ifndef BRIDLE_COMPLETE_DAEMON_H
#define BRIDLE_COMPLETE_DAEMON_H

#include "cli/arg_kind.h"
#include "complete/candidates.h"
#include "complete/partial_line.h"

/*
 * Add the candidates for an ARG_PROCESS, ARG_PATTERN, ARG_RUN or ARG_RUN_ARG.
 * Add nothing if the command line names several hosts or another machine. Add
 * nothing if the daemon does not reply within half a second.
 */
void complete_daemon_add(
	struct candidates *, const struct partial_line *, enum arg_kind);

#endif
