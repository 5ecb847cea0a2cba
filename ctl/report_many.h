/*
 * How the answers of many hosts are shown: as they come, in the hosts' order,
 * as one table, or equal ones together; and the sum at the end.
 */
#ifndef BRIDLE_REPORT_MANY_H
#define BRIDLE_REPORT_MANY_H

#include "answer.h"
#include "invocation.h"
#include "tally.h"

#include <stdbool.h>
#include <stddef.h>

struct report_many {
	struct invocation *inv;
	struct tally tally;
	struct answer *kept; /* by the hosts' index; what must wait */
	size_t next;         /* --ordered: whose turn it is */
	bool failed;         /* some of it could not be shown */
	size_t fitting;      /* tables with the columns that are asked for */
	size_t misfits;      /* and without */
};

/* 0, or -1 after a message. End with report_many_end() in either case. */
int report_many_begin(struct report_many *, struct invocation *);

/* A fanout_done: takes over the answer, shows it now or at the end. */
void report_many_take(void *, struct answer *);

/* Shows what waited, and the sum. */
enum outcome report_many_end(struct report_many *);

/*
 * A table of the rows of all these answers, of which those without a host
 * are left out, on that descriptor, in the form that was asked for. 0, or -1
 * after a message.
 */
int report_merged(
	const struct invocation *, const struct answer *, size_t n, int fd);

#endif
