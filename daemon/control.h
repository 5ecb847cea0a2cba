/*
 * What the daemon's owner tells it by a signal: new settings, or to stop.
 */
#ifndef BRIDLE_CONTROL_H
#define BRIDLE_CONTROL_H

#include <stdint.h>

struct parent;

/* From stop_seconds to the end of sessions that do not obey. */
#define CONTROL_END_MS 3000

/* What else has to know that settings have come into force. */
void control_settle(struct parent *);

/* Reads the configuration again; a mistake in it changes nothing. */
void control_reload(struct parent *);

/*
 * Accepts nothing more; what is in flight has stop_seconds. Twice: none.
 * Who came just before it has CONTROL_GRACE_MS to ask, so that a restart whose
 * listening sockets stay open loses nobody.
 */
#define CONTROL_GRACE_MS 1000
void control_stop(struct parent *);

/* Does what is due of a stop. To be called again and again. */
void control_expire(struct parent *, int64_t now);

/* When that is due next; CLOCK_NEVER unless it stops. */
int64_t control_deadline(const struct parent *, int64_t now);

#endif
