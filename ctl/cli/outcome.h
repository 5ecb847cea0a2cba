/*
 * The outcome of a command, which becomes the exit status of bridlectl.
 */
#ifndef BRIDLE_OUTCOME_H
#define BRIDLE_OUTCOME_H

enum outcome {
	OUTCOME_DONE = 0,
	OUTCOME_NO = 1,        /* refused, failed or only partly done */
	OUTCOME_USAGE = 2,     /* the command line is wrong */
	OUTCOME_UNREACHED = 3, /* no reply, or an incomplete reply */
	OUTCOME_SEVERAL = 4,   /* the hosts have different outcomes */
	OUTCOME_EXIT = 256     /* 256 + exit status of the command of `run` */
};

#endif
