/*
 * The functions of tls.h that need a loaded module. These functions are not in
 * tls_load.c, because bridled-session links these functions. bridled-session is
 * a static program and cannot load a module, so it must not link tls_load.c.
 */
#include "tls_calls.h"

#include <stddef.h>

const struct tls_calls *tls_found;

#define USE(type, name, parameters, arguments)    \
	type tls_##name parameters                \
	{                                         \
		return tls_found->name arguments; \
	}

#define FREE(type, name, parameters, arguments)    \
	type tls_##name parameters                 \
	{                                          \
		if (p != NULL)                     \
			tls_found->name arguments; \
	}

TLS_USERS(USE)
TLS_FREERS(FREE)
