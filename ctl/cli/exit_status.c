#include "cli/exit_status.h"

#include "wire.h"

void
outcomes_add(struct outcomes *o, enum outcome outcome)
{
	o->all = o->n == 0 || o->all == outcome ? outcome : OUTCOME_SEVERAL;
	o->n++;
}

enum outcome
outcome_of_code(int code)
{
	switch (code) {
	case CODE_OK:
	case CODE_ACCEPTED:
		return OUTCOME_DONE;
	case CODE_UNAVAILABLE:
		return OUTCOME_UNREACHED;
	default:
		return OUTCOME_NO;
	}
}

int
exit_status(enum outcome outcome, unsigned own_failure)
{
	if (outcome >= OUTCOME_EXIT)
		return (int)outcome - OUTCOME_EXIT;
	return outcome != OUTCOME_DONE && own_failure <= OWN_FAILURE_MAX
		       ? (int)own_failure
		       : (int)outcome;
}
