/*
 * Functions that receive messages from sessions. A request waits until the
 * groups that the policy needs are known. A `run` request also waits until
 * earlier runs of its command have ended.
 */
#ifndef BRIDLE_DISPATCH_H
#define BRIDLE_DISPATCH_H

#include <stdint.h>

struct parent;
struct session;

/*
 * Receive and handle a message from the session. If the channel has ended, the
 * session is lost.
 */
void dispatch_receive(struct parent *, struct session *);

/*
 * Try to handle the requests that wait for a group look-up. Call this when a
 * look-up may have ended.
 */
void dispatch_resume(struct parent *);

/* Handle each queued request that no longer has to wait for earlier runs. */
void dispatch_advance(struct parent *);

/*
 * Handle the requests whose group look-up has passed its deadline. The policy
 * then treats the groups as unknown.
 */
void dispatch_expire(struct parent *, int64_t now);

#endif
