/*
 * One call of bridlectl, with its parsed and checked command line. After
 * invocation_parse(), the struct is read-only.
 */
#ifndef BRIDLE_INVOCATION_H
#define BRIDLE_INVOCATION_H

#include "buf.h"
#include "cli/command.h"
#include "cli/host_share.h"
#include "cli/options.h"
#include "cli/request_build.h"
#include "hosts/client_conf.h"
#include "hosts/host.h"
#include "request.h"

#include <stdbool.h>

struct invocation {
	const struct command *const *commands; /* all commands */
	/* the command; NULL if only --help or --version is given */
	const struct command *command;
	struct options options;
	int nargs;
	char **args; /* arguments of the command; NULL-ended */

	/* The following members are for commands that send requests: */
	struct client_conf conf; /* empty if bridlectl.conf was not read */
	struct hosts hosts;
	struct hosts via; /* the relay of `wake --via`, or empty */
	bool several; /* true: print the output in the form for several hosts */
	unsigned timeout;         /* time limit in seconds; 0: not given */
	unsigned connect_timeout; /* time limit in seconds; 0: not given */
	unsigned total_timeout;   /* time limit in seconds; 0: not given */
	/*
	 * longest time in seconds that `wait`, `wake` or `reboot --wait` waits
	 */
	unsigned await;
	unsigned fanout; /* number of hosts in parallel; 0: not given */
	unsigned watch;  /* seconds between refreshes; 0: no --watch */
	unsigned pause;  /* seconds between two batches */
	struct host_share batch;
	struct host_share max_failures;
	struct request request;
	/*
	 * Value of --exit-status. OWN_FAILURE_MAX + 1 means that the option is
	 * not given.
	 */
	unsigned own_failure;
	struct request_texts texts; /* texts that `request` points to */
};

/*
 * Return the deadline of --total-timeout, counted from now. Without this
 * option, return INT64_MAX.
 */
int64_t invocation_deadline(const struct invocation *);

void invocation_free(struct invocation *);

/*
 * Parse a command line. Returns 0, or -1 with a sentence appended to error.
 * After an error, the member `command` is set if the command is known. If
 * --help or --version is given, check nothing after the command.
 *
 * The invocation has pointers into argv and into itself. Therefore an
 * invocation must not be copied. In both cases, the caller must call
 * invocation_free().
 */
int invocation_parse(struct invocation *, const struct command *const *commands,
	int argc, char **argv, struct buf *error);

static inline bool
invocation_has(const struct invocation *inv, enum option_number n)
{
	return options_given(&inv->options, n);
}

/* True if the command switches hosts on. */
static inline bool
invocation_wakes(const struct invocation *inv)
{
	return (inv->command->options & OPT_BIT(OPT_LEARN)) != 0;
}

/* True if the command waits until hosts are up or down. */
static inline bool
invocation_waits(const struct invocation *inv)
{
	return (inv->command->options & OPT_BIT(OPT_UP)) != 0;
}

#endif
