/*
 * Functions that handle a request: get the verdict of the policy, then reply or
 * start an action.
 */
#ifndef BRIDLE_HANDLE_H
#define BRIDLE_HANDLE_H

#include "request/state.h"

/*
 * Handle a request, which may be malformed. If the policy needs the user's
 * groups, the caller must have looked up these groups. Return false if the
 * request must wait for earlier runs of its command. In that case, the caller
 * handles the request again later.
 */
bool handle_request(
	struct parent *, struct session *, const struct privsep_inbound *);

/*
 * Send the status of an ended action to the session that waits for the action.
 * Log the request, and free the action.
 */
void handle_action_end(struct parent *, struct action *, const siginfo_t *);

#endif
