/*
 * A command on many hosts.
 */
#ifndef BRIDLE_MANY_H
#define BRIDLE_MANY_H

#include "command.h"
#include "fanout.h"
#include "invocation.h"

/*
 * Asks all of them what the invocation asks. A command that changes
 * something, and was given neither -y nor -n, is first asked of all of them
 * as a dry run, shown, and confirmed by the number of hosts.
 */
enum outcome many_run(struct invocation *);

/* What an answer comes to, after a call_ask() or its like. */
void many_judge(const struct invocation *, struct answer *, int result);

/* A worker_job: makes a request, the context, and fills the answer in. */
void many_ask(struct invocation *, struct answer *, const void *request);

#endif
