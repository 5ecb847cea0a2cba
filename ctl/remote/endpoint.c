#include "remote/endpoint.h"

struct endpoint
endpoint_of(const struct invocation *inv, const struct host *host)
{
	const char *key = inv->options.values[OPT_IDENTITY];
	const char *pin = inv->options.values[OPT_FINGERPRINT];

	return (struct endpoint){ .target = &host->target,
		.identity = key ? key : host->identity,
		.pin = pin ? pin : host->fingerprint,
		.pin_source = pin ? "--fingerprint" : CLIENT_CONF_NAME,
		.accept_new = invocation_has(inv, OPT_ACCEPT_NEW),
		.connect_timeout = inv->connect_timeout,
		.timeout = inv->timeout ? inv->timeout : host->timeout };
}
