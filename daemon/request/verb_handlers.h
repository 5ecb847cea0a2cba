/*
 * Functions that carry out each verb, after the policy has allowed the request.
 */
#ifndef BRIDLE_VERB_HANDLERS_H
#define BRIDLE_VERB_HANDLERS_H

#include "request/exchange.h"

/*
 * Carry out the request: finish the exchange, start its action, or set `waits`
 * if the request must wait.
 */
void verb_handler_run(struct exchange *);

#endif
