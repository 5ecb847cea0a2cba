/*
 * What is remembered of sources that misbehave: their penalties, and how many
 * lines about them the log has been spared. Does no I/O; times are clock_ms().
 *
 * A penalty is time. Each offence adds some, and time takes it off. A source
 * whose penalty comes to min_seconds is shut out until nothing is left of it.
 * From then on all costs it double, the next time double that, until it has
 * kept the peace for max_seconds after the end of its penalty.
 */
#ifndef BRIDLE_PENALTIES_H
#define BRIDLE_PENALTIES_H

#include "buf.h"
#include "identity.h"
#include "settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct penalty {
	struct identity_source source;
	bool shut_out;          /* until `until` */
	unsigned times;         /* that it was */
	int64_t until;          /* when nothing is left of its penalty */
	int64_t window;         /* since when lines about it are counted */
	unsigned lines;         /* that were logged since */
	unsigned long left_out; /* that were not, and this was not said yet */
};

/* All zero at first. Takes no memory while there is nothing to remember. */
struct penalties {
	struct penalty **v; /* in the order of the sources' bytes */
	size_t n, room;
	int64_t due;            /* when to look again, if there are any */
	unsigned long left_out; /* lines about sources that were forgotten */
	uint64_t times;         /* any source was shut out, since the start */
};

/*
 * Adds what the offence costs. Returns for how many milliseconds the source
 * is shut out by this, 0 if it is not, or was already.
 *
 * Where as many sources as may be are remembered, the one with the least
 * penalty left makes room: to make us forget one that is shut out, others
 * have to be shut out for longer.
 */
int64_t penalties_add(struct penalties *, const struct settings_penalties *,
	const struct identity_source *, enum penalty_cause, int64_t now);

/* For how many milliseconds more it is shut out; 0 if it is not. */
int64_t penalties_left(
	const struct penalties *, const struct identity_source *, int64_t now);

/* How many sources are shut out now. */
size_t penalties_count(const struct penalties *, int64_t now);

/*
 * Whether one more line about the source may be logged; if not, it is counted.
 */
bool penalties_line(struct penalties *, const struct settings_penalties *,
	const struct identity_source *, int64_t now);

/* How many lines about a source, or NULL: forgotten ones, were left out. */
typedef void penalties_say(void *arg, const struct identity_source *,
	unsigned long lines, int64_t ms);

/*
 * Says which lines were left out where their time is over (`all`: at once),
 * and forgets the sources that have nothing left; when to do so again
 * (INT64_MAX: there is nothing to do).
 */
void penalties_expire(struct penalties *, const struct settings_penalties *,
	int64_t now, bool all, penalties_say *, void *arg);
int64_t penalties_deadline(const struct penalties *);

/* Forgets all. */
void penalties_free(struct penalties *);

#endif
