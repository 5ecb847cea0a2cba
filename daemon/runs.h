/*
 * The runs of commands, as the parent sees to them: whose turn it is, what the
 * session gets of them, and how they have ended.
 */
#ifndef BRIDLE_RUNS_H
#define BRIDLE_RUNS_H

#include "actions.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct parent;
struct session;

enum runs_turn {
	RUNS_NOW,
	RUNS_LATER, /* when those before it have ended */
	RUNS_NEVER  /* it would be one too many, or cannot be */
};

/*
 * Whether the command may begin now, for one that has that turn in its queue
 * (0: that comes only now); for RUNS_NEVER *code and the text are those of the
 * status.
 */
enum runs_turn runs_turn(const struct parent *, const struct settings_command *,
	uint64_t turn, int *code, char *text, size_t size);

/* Whether nothing is before this SESSION_QUEUED any more. */
bool runs_is_next(const struct parent *, const struct session *);

/* How many wait for their turn. */
unsigned runs_queued(const struct parent *);

/* Gives the session its ends of the pipes. 0, or -1 with errno. */
int runs_hand_over(const struct session *, const struct settings_command *,
	const struct action_pipes *);

/* Notes how it has ended, for its status, unless that was our doing. */
void runs_note_end(struct action *, const siginfo_t *);

#endif
