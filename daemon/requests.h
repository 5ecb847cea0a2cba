/*
 * What the parent makes of a request: the verdict, then an answer of its own
 * or an action.
 */
#ifndef BRIDLE_REQUESTS_H
#define BRIDLE_REQUESTS_H

#include "parent.h"

/*
 * Answers a question that the session was allowed to ask now. The session's
 * groups are known if the policy needs them. False if it has to wait for its
 * turn, until an action with the name of its command has ended: then it has to
 * be asked again.
 */
bool request_answer(
	struct parent *, struct session *, const struct ask_question *);

/* An action has ended, as the siginfo says: answers, logs, frees it. */
void request_action_ended(struct parent *, struct action *, const siginfo_t *);

#endif
