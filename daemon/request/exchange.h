/*
 * An exchange is one request with its reply. The parent or an action makes the
 * reply.
 */
#ifndef BRIDLE_EXCHANGE_H
#define BRIDLE_EXCHANGE_H

#include "policy/policy.h"
#include "request/state.h"

struct exchange {
	struct parent *parent;
	struct session *session;
	const struct request *request; /* NULL if the request is malformed */
	struct verdict verdict;
	struct logger_request log;
	struct buf reply; /* lines of the reply before the status; owned */
	bool waits; /* the request must wait for earlier runs of its command */
};

/*
 * Append the status to the reply, log the request, and send the reply to the
 * session. `rule` may be NULL.
 */
void exchange_finish(
	struct exchange *, int code, const char *text, const char *rule);

/*
 * Start the action that makes the reply. If the limits allow no action, or the
 * start fails, reply with an error. `argv` is the program that the action runs,
 * or NULL. `about` describes the request for the status text.
 */
void exchange_start_action(
	struct exchange *, char *const *argv, const char *about);

#endif
