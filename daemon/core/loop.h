/*
 * The main loop of the parent. It serves sessions, reaps children, accepts
 * clients, and obeys signals.
 */
#ifndef BRIDLE_LOOP_H
#define BRIDLE_LOOP_H

struct parent;

/*
 * Serve clients until a stop by SIGTERM or SIGINT is complete. The caller has
 * set up all members of struct parent. When the daemon is ready for clients,
 * write one byte to the descriptor `ready`, and close this descriptor. `ready`
 * is -1 if no process waits for the byte. Return the exit status.
 */
int loop_run(struct parent *, int ready);

#endif
