/*
 * Counts SIGINT (^C). A SIGINT then does not end the program.
 */
#ifndef BRIDLE_SIGINT_H
#define BRIDLE_SIGINT_H

#include <poll.h>
#include <stdint.h>

/*
 * Count each SIGINT from now on. If SIGINT is ignored, as in a background
 * process of a shell, continue to ignore SIGINT. SIGINT stays blocked except
 * during sigint_poll().
 */
void sigint_catch(void);

/* Return the number of SIGINTs since sigint_catch(). */
unsigned sigint_count(void);

/*
 * Wait for events like poll(2), until clock_ms() reaches the deadline.
 * INT64_MAX means no deadline. If SIGINT arrives, return -1 with errno EINTR.
 */
int sigint_poll(struct pollfd *, nfds_t, int64_t deadline);

/*
 * Undo sigint_catch(). If SIGINT was counted, ignore later SIGINTs, because the
 * user has interrupted the program and the program ends now.
 */
void sigint_release(void);

#endif
