/*
 * The work after a signal. SIGHUP reloads the configuration. SIGTERM and SIGINT
 * stop the daemon.
 */
#ifndef BRIDLE_RELOAD_STOP_H
#define BRIDLE_RELOAD_STOP_H

#include <stdint.h>

struct parent;

/*
 * Time in ms from the end of stop_seconds until the sessions that have not
 * ended are killed.
 */
#define STOP_END_MS 3000

/* Tell polkit that the settings of the parent are effective. */
void reload_apply(struct parent *);

/*
 * Start a child that reads the configuration again. Until the child ends,
 * requests use the previous settings. If a child is already reading, replace it
 * once, because the file may have changed. Further reloads begin when the new
 * child has ended.
 */
void reload_begin(struct parent *);

/*
 * If the child of reload_begin() has ended, put its settings into effect as a
 * whole. On errors, keep the previous settings and log the cause. Do not call
 * this while a poll set is being read, because listeners may be closed.
 */
void reload_finish(struct parent *);

/*
 * End the child of reload_begin() if its deadline has passed. Return the
 * deadline, `now` if reload_finish() has work, or CLOCK_NEVER if there is no
 * child.
 */
int64_t reload_expire(struct parent *, int64_t now);

/*
 * Begin to stop: accept no more connections. Running requests can continue for
 * stop_seconds. A second call ends these requests immediately. Clients that
 * were accepted just before the stop have STOP_GRACE_MS to send their request.
 * A restart that keeps its listening sockets therefore loses no client.
 */
#define STOP_GRACE_MS 1000
void stop_begin(struct parent *);

/*
 * Do the work of a stop that is due. Return the time of the next call, or
 * CLOCK_NEVER if the daemon is not stopping.
 */
int64_t stop_expire(struct parent *, int64_t now);

#endif
