/*
 * The outcome of a command, and the exit status of bridlectl.
 */
#ifndef BRIDLE_EXIT_STATUS_H
#define BRIDLE_EXIT_STATUS_H

#include <stddef.h>

#define OWN_FAILURE_MAX 255 /* maximum value of --exit-status */

enum outcome {
	OUTCOME_DONE = 0,
	/* the command was refused, has failed or was done in part */
	OUTCOME_NO = 1,
	OUTCOME_USAGE = 2, /* the command line is wrong */
	/* a host has sent no reply, or an incomplete reply */
	OUTCOME_UNREACHED = 3,
	OUTCOME_SEVERAL = 4, /* the hosts have different outcomes */
	/* added to the exit status of a command that `run` starts */
	OUTCOME_EXIT = 256
};

/*
 * The outcome of a command on several hosts. Initially, all members are zero.
 */
struct outcomes {
	enum outcome all; /* OUTCOME_SEVERAL if outcomes differ */
	size_t n;         /* number of outcomes that were added */
};

/* Add the outcome of one host. */
void outcomes_add(struct outcomes *, enum outcome);

/* Return the outcome that belongs to a reply with this status code. */
enum outcome outcome_of_code(int code);

/*
 * Return the exit status of bridlectl. `own_failure` is the value of
 * --exit-status, which replaces the status of a failure of bridlectl. Thus a
 * script can tell this failure from a failure of the command. Values above
 * OWN_FAILURE_MAX mean that the option is not given.
 */
int exit_status(enum outcome, unsigned own_failure);

#endif
