/*
 * What a command would do on many hosts, shown, and the question whether it
 * is to: answered by the number of hosts.
 */
#ifndef BRIDLE_QUESTION_H
#define BRIDLE_QUESTION_H

#include "answer.h"
#include "invocation.h"
#include "plan.h"

#include <stdbool.h>

/*
 * Of a host's answer to a dry run: whether there is something to do, and it
 * may be done.
 */
bool question_is_worth(const struct answer *preview);

/*
 * Shows the previews, by the hosts' index, of which those without a host are
 * left out, and asks. NULL: there is no telling, it only asks. False after a
 * message that nothing was done.
 */
bool question_ask(const struct invocation *, const struct answer *previews,
	const struct plan *);

#endif
