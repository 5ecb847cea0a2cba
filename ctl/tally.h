/*
 * What a call to many hosts has come to: how many of each fate, and which.
 */
#ifndef BRIDLE_TALLY_H
#define BRIDLE_TALLY_H

#include "answer.h"
#include "command.h"

#include <stddef.h>
#include <stdint.h>

struct tally {
	size_t hosts; /* of the call; some may not be meant */
	size_t total; /* that have a fate */
	size_t count[FATES];
	unsigned char *fates; /* by the hosts' index; FATES: not yet */
	int64_t begun;
};

/* 0, or -1 with errno. */
int tally_begin(struct tally *, size_t hosts);

void tally_add(struct tally *, const struct answer *);

/* The exit status: what they have in common, or OUTCOME_SEVERAL. */
enum outcome tally_outcome(const struct tally *);

/*
 * Appends "250 hosts: 247 ok, 3 timed out (node[07-09])", with those that may
 * matter by name; nothing if none has a fate.
 */
void tally_describe(const struct tally *, const struct hosts *, struct buf *);

/* The same as the last object of --json. */
void tally_json(const struct tally *, struct buf *);

void tally_free(struct tally *);

#endif
