#include "request/request_rate.h"

#define COST_US (1000000 / REQUEST_RATE)

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
