/*
 * The answers of all hosts as one screenful, over the one of before.
 */
#ifndef BRIDLE_SCREEN_H
#define BRIDLE_SCREEN_H

#include "answer.h"
#include "command.h"
#include "invocation.h"

/*
 * Of answers by the hosts' index; those without a host have not come yet.
 * 0, with what they come to in *outcome, or -1 after a message: it cannot be
 * shown in the way that was asked for.
 */
int screen_show(
	const struct invocation *, struct answer *, enum outcome *outcome);

#endif
