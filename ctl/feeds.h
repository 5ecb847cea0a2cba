/*
 * What all hosts of an invocation tell those who watch, merged as it comes.
 */
#ifndef BRIDLE_FEEDS_H
#define BRIDLE_FEEDS_H

#include "command.h"
#include "invocation.h"
#include "worker.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Takes the records of an answer of one host. -1 if they could not be shown,
 * after a message: then all ends.
 */
typedef int feeds_taker(void *context, const struct answer *);

struct feeds {
	struct invocation *inv;
	feeds_taker *take;
	void *context;
	struct worker *workers; /* by the hosts' index */
	struct pollfd *polls;   /* of those that run, and what else is asked */
	size_t running;
	size_t done; /* hosts that are over */
	enum outcome outcome;
};

/* Begins with all hosts. 0, or -1 after a message. */
int feeds_open(struct feeds *);

/*
 * Waits for news of them, or of `also`, whose descriptor is -1 if there is
 * none, until that time or ^C; takes what has come. False once all is over.
 */
bool feeds_wait(struct feeds *, struct pollfd *also, int64_t until);

/* Ends them. What it has come to, if it was not ended by ^C. */
enum outcome feeds_close(struct feeds *);

#endif
