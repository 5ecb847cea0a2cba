/*
 * The outcome of a command, and the exit status of bridlectl.
 */
#ifndef BRIDLE_EXIT_STATUS_H
#define BRIDLE_EXIT_STATUS_H

#include <stddef.h>

#define OWN_FAILURE_MAX 255 /* maximum value of --exit-status */

enum outcome {
	OUTCOME_DONE = 0,
	OUTCOME_NO = 1,        /* refused, failed or only partly done */
	OUTCOME_USAGE = 2,     /* the command line is wrong */
	OUTCOME_UNREACHED = 3, /* no reply, or an incomplete reply */
	OUTCOME_SEVERAL = 4,   /* the hosts have different outcomes */
	OUTCOME_EXIT = 256     /* 256 + exit status of the command of `run` */
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

/* Return the outcome of a command whose reply has this status code. */
enum outcome outcome_of_code(int code);

/*
 * Return the exit status of bridlectl. `own_failure` is the value of
 * --exit-status, which replaces the status of a failure of bridlectl. Thus a
 * script can tell this failure from a failure of the command. Values above
 * OWN_FAILURE_MAX mean that the option is not given.
 */
int exit_status(enum outcome, unsigned own_failure);

#endif
