/*
 * One call of bridlectl: its command line, read and checked.
 */
#ifndef BRIDLE_INVOCATION_H
#define BRIDLE_INVOCATION_H

#include "buf.h"
#include "client_conf.h"
#include "command.h"
#include "hosts.h"
#include "options.h"
#include "request.h"
#include "stage.h"
#include "targets.h"

#include <stdbool.h>

struct invocation {
	const struct command *command; /* NULL: only --help or --version */
	struct options options;
	int nargs;
	char **args; /* what follows the command's name; NULL-ended */

	/* Where the command is about hosts: */
	struct client_conf conf; /* empty where it need not be read */
	struct hosts hosts;
	bool several; /* a list, be it of one: shown as such */

	/* Where it asks a daemon: */
	const struct host *host;  /* the one that is asked */
	struct target target;     /* that one's */
	unsigned timeout;         /* seconds, 0: not said */
	unsigned connect_timeout; /* likewise */
	unsigned total_timeout;   /* likewise */
	unsigned await;           /* seconds for a host to come, go, be back */
	unsigned fanout;          /* hosts at once, 0: not said */
	unsigned watch;           /* seconds from view to view, 0: only one */
	unsigned pause;           /* seconds between two batches */
	struct stage_share batch;
	struct stage_share max_failures;
	struct request request;
	unsigned own_failure; /* --exit-status: what a failure of ours is */
	bool exit_known;      /* the command that was run has ended */
	int exit_status;      /* with this, as a shell has it */
	char when[24];        /* the request's may point here */
	struct buf text;      /* likewise, of say */
};

/*
 * One of its hosts is asked from now on; at first it is the first.
 */
void invocation_turn(struct invocation *, const struct host *);

/*
 * Fills in the hosts that the options name, and what is configured of them
 * and of calls like this. 0, or -1 with lines appended to error.
 */
int invocation_select(struct invocation *, struct buf *error);

/* When --total-timeout ends a call that begins now; INT64_MAX: never. */
int64_t invocation_deadline(const struct invocation *);

void invocation_free(struct invocation *);

/*
 * 0, or -1 with a sentence appended to error, and the command set if it was
 * found. With --help or --version nothing past the command is checked. The
 * invocation points into argv and into itself: it must not be copied.
 */
int invocation_parse(
	struct invocation *, int argc, char **argv, struct buf *error);

static inline bool
invocation_has(const struct invocation *inv, enum option_number n)
{
	return options_given(&inv->options, n);
}

#endif
