#include "request/request_rate.h"

#include <stdlib.h>
#include <string.h>

#define COST_US (1000000 / REQUEST_RATE)

struct request_rate *
request_rates_join(struct request_rates *rates,
	const struct peer_source *source, int64_t now)
{
	struct request_rate *r, *next, *found = NULL;

	for (r = TAILQ_FIRST(rates); r != NULL; r = next) {
		next = TAILQ_NEXT(r, entry);
		if (memcmp(&r->source, source, sizeof(*source)) == 0) {
			found = r;
		} else if (r->sessions == 0 && r->paid <= now * 1000) {
			TAILQ_REMOVE(rates, r, entry);
			free(r);
		}
	}
	if (found == NULL && (found = calloc(1, sizeof(*found))) != NULL) {
		found->source = *source;
		TAILQ_INSERT_TAIL(rates, found, entry);
	}
	if (found != NULL)
		found->sessions++;
	return found;
}

void
request_rates_leave(struct request_rate *r)
{
	r->sessions--;
}

void
request_rate_count(struct request_rate *r, int64_t now)
{
	if (r->paid < now * 1000)
		r->paid = now * 1000;
	r->paid += COST_US;
}

int64_t
request_rate_ready(const struct request_rate *r)
{
	int64_t us = r->paid - (REQUEST_RATE_BURST - 1) * COST_US;

	return (us + 999) / 1000;
}
