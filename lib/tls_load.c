/*
 * tls.h for bridled and bridlectl: finds the module at the first key or
 * context. All else takes one of these, and so finds it loaded
 * (tls_hand_over.c).
 */
#include "tls_calls.h"

#include "config.h"

#include "companion.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool
load(char problem[TLS_PROBLEM_SIZE])
{
	const struct tls_calls *found;
	char path[PATH_MAX];
	const char *why;
	void *module;

	if (tls_found != NULL)
		return true;
	companion_path(path, TLS_MODULE, MODULEDIR);
	module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	found = module != NULL ? dlsym(module, TLS_CALLS) : NULL;
	if (found != NULL && strcmp(found->version, PACKAGE_VERSION) == 0) {
		tls_found = found;
		return true;
	}
	why = found != NULL ? "it is of another version" : dlerror();
	snprintf(problem, TLS_PROBLEM_SIZE, "cannot speak TLS: %s",
		why != NULL ? why : "its module is damaged");
	if (module != NULL)
		dlclose(module);
	errno = ELIBACC;
	return false;
}

struct tls_key *
tls_key_create(enum tls_key_type type, const char *name,
	char problem[TLS_PROBLEM_SIZE])
{
	return load(problem) ? tls_found->key_create(type, name, problem)
			     : NULL;
}

struct tls_key *
tls_key_read(const char *path, char problem[TLS_PROBLEM_SIZE])
{
	return load(problem) ? tls_found->key_read(path, problem) : NULL;
}

struct tls_key *
tls_key_open(const char *path, char problem[TLS_PROBLEM_SIZE])
{
	return load(problem) ? tls_found->key_open(path, problem) : NULL;
}

struct tls_context *
tls_server(struct tls_key *key, char problem[TLS_PROBLEM_SIZE])
{
	return load(problem) ? tls_found->server(key, problem) : NULL;
}

struct tls_context *
tls_client(struct tls_key *key, char problem[TLS_PROBLEM_SIZE])
{
	return load(problem) ? tls_found->client(key, problem) : NULL;
}
