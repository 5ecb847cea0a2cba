/*
 * Functions for `run` requests. They put the runs of the same command in order,
 * pass the pipes of a run to its session, and log the end of a run.
 */
#ifndef BRIDLE_RUN_QUEUE_H
#define BRIDLE_RUN_QUEUE_H

#include "action/action.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct parent;
struct session;

enum run_queue_turn {
	RUNS_NOW,
	RUNS_LATER, /* the run must wait until earlier runs have ended */
	/*
	 * the run is refused, because its queue is full or the daemon has too
	 * few rights
	 */
	RUNS_NEVER
};

/*
 * Decide if the session's run of the command can start now. Each source may
 * have as many queued runs as the command's setting `queue` says. For
 * RUNS_NEVER, set *code and `text` to the status of the reply.
 */
enum run_queue_turn run_queue_turn(const struct parent *,
	const struct session *, const struct settings_command *, int *code,
	char *text, size_t size);

/*
 * True if the run of this session, which is in the state SESSION_QUEUED, can
 * start now. The limits must allow an action, and all earlier runs of the
 * command must have ended.
 */
bool run_queue_is_next(const struct parent *, const struct session *);

/* Return the number of sessions whose runs are queued. */
unsigned run_queue_length(const struct parent *);

/*
 * Send the daemon's descriptors of the run's pipes to the session. The caller
 * keeps its own copies of these descriptors. Return 0, or -1 with errno.
 */
int run_queue_hand_over(const struct session *, const struct settings_command *,
	const struct action_pipes *);

/*
 * Store the exit status or signal of a run in the action's log, from which the
 * status line is made. Do nothing if the daemon has ended the run.
 */
void run_queue_note_end(struct action *, const siginfo_t *);

#endif
