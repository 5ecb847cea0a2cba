/*
 * The way in: a connection is accepted, its peer identified, the limits
 * asked, and it is given to a session that waits for it, or one line of
 * refusal sent.
 */
#ifndef BRIDLE_ADMISSION_H
#define BRIDLE_ADMISSION_H

#include "listener.h"

#include <stdbool.h>

struct parent;

#define ADMISSION_RESERVED 16 /* of all sessions, for unix sockets alone */

/* Accepts what waits at a listener, as far as the limits let it. */
void admission_accept(struct parent *, const struct listener *);

/*
 * The same, when it is the last time: where there are fewer sessions than
 * that, it waits for more, half a second at most.
 */
void admission_accept_last(struct parent *, const struct listener *);

/* Whether a session waits, or there will be none for some time. */
bool admission_ready(const struct parent *, const struct listener *);

/* Whether there is room for a session from this listener now. */
bool admission_room(const struct parent *, const struct listener *);

#endif
