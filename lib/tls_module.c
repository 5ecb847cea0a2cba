#include "tls_calls.h"

#include "config.h"

/* clang-format off */
#define INITIALIZER(type, name, parameters, arguments) .name = tls_##name,

const struct tls_calls bridle_tls_calls
	__attribute__((visibility("default"))) = {
	.version = PACKAGE_VERSION,
	TLS_MAKERS(INITIALIZER)
	TLS_USERS(INITIALIZER)
	TLS_FREERS(INITIALIZER)
};
/* clang-format on */
