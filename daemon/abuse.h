/*
 * What clients that misbehave bring upon their source: penalties, and lines
 * in the log that are summed up. All by the settings in force.
 */
#ifndef BRIDLE_ABUSE_H
#define BRIDLE_ABUSE_H

#include "identity.h"
#include "settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct parent;
struct session;

/* The session's client, or the session itself, has done that. */
void abuse_offence(struct parent *, const struct session *, enum penalty_cause);

/* For how many seconds more that peer of this source may not come in. */
unsigned abuse_shut_out(const struct parent *, const struct identity *,
	const struct identity_source *);

/* How many sources that holds for. */
size_t abuse_count(const struct parent *);

/*
 * Whether a line of that priority about the source is to be logged. If it
 * would be, but there were too many of late, it is counted.
 */
bool abuse_line(struct parent *, const struct identity_source *, int priority);

/* Logs how many lines were left out when their time is over; at the end. */
void abuse_expire(struct parent *, int64_t now);
void abuse_end(struct parent *);

#endif
