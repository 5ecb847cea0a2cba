/*
 * Counts the results of a command on many hosts, by the kind of result.
 */
#ifndef BRIDLE_SUMMARY_H
#define BRIDLE_SUMMARY_H

#include "cli/exit_status.h"
#include "fanout/result.h"

#include <stddef.h>
#include <stdint.h>

struct summary {
	size_t hosts; /* number of hosts in the invocation */
	size_t total; /* number of hosts with a result */
	size_t count[RESULT_KINDS];
	unsigned char *
		/* kind of result of each host; RESULT_KINDS: no result yet */
		fates;
	int64_t begun;
};

/* Begin an empty summary. Return 0, or -1 with errno. */
int summary_begin(struct summary *, size_t hosts);

void summary_add(struct summary *, const struct result *);

/*
 * Return the common outcome of all results, or OUTCOME_SEVERAL if outcomes
 * differ.
 */
enum outcome summary_outcome(const struct summary *);

/*
 * Append the number of hosts for each kind of result. Append the names of the
 * hosts that were not successful. Example: "250 hosts: 247 ok, 3 timed out
 * (node[07-09])". If no host has a result, append nothing.
 */
void summary_describe(
	const struct summary *, const struct hosts *, struct buf *);

/* Append the summary as a JSON object, which ends the output of --json. */
void summary_json(const struct summary *, struct buf *);

void summary_free(struct summary *);

#endif
