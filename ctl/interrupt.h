/*
 * ^C as something to be answered, not to die of.
 */
#ifndef BRIDLE_INTERRUPT_H
#define BRIDLE_INTERRUPT_H

#include <poll.h>
#include <stdint.h>

/*
 * From now on each is counted, unless they are ignored, as those of a call in
 * the background are. It takes effect in interrupt_poll() alone.
 */
void interrupt_catch(void);

/* How often it was pressed since then. */
unsigned interrupt_count(void);

/* poll(2) until that time of clock_ms(), or until ^C: then -1 with EINTR. */
int interrupt_poll(struct pollfd *, nfds_t, int64_t deadline);

/*
 * As it was before. But if some have come, further ones are ignored: what
 * was asked for with them is under way.
 */
void interrupt_release(void);

#endif
