#include "tls_calls.h"

#include "config.h"

const struct tls_calls bridle_tls_calls
	__attribute__((visibility("default"))) = { .version = PACKAGE_VERSION,
		.key_create = tls_key_create,
		.key_write = tls_key_write,
		.key_read = tls_key_read,
		.key_open = tls_key_open,
		.key_fingerprint = tls_key_fingerprint,
		.key_free = tls_key_free,
		.server = tls_server,
		.client = tls_client,
		.warm_up = tls_warm_up,
		.context_free = tls_context_free,
		.open = tls_open,
		.handshake = tls_handshake,
		.peer = tls_peer,
		.read = tls_read,
		.write = tls_write,
		.pending = tls_pending,
		.shutdown = tls_shutdown,
		.problem = tls_problem,
		.close = tls_close };
