/*
 * tls.h for the programs: finds the module at the first key or context, and
 * hands over to it. All else takes one of these, and so finds it loaded.
 */
#include "tls_calls.h"

#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct tls_calls *calls;

/*
 * Beside the program where it was built, of the same build and as trustworthy
 * as the program itself; else where it was installed.
 */
static void *
open_module(void)
{
	char path[PATH_MAX + sizeof(TLS_MODULE)];
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
	char *slash = NULL;

	if (n > 0 && n < PATH_MAX) {
		path[n] = '\0';
		slash = strrchr(path, '/');
	}
	if (slash != NULL)
		strcpy(slash + 1, TLS_MODULE);
	if (slash == NULL || access(path, F_OK) != 0)
		snprintf(path, sizeof(path), "%s", MODULEDIR "/" TLS_MODULE);
	return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

static bool
load(char problem[TLS_PROBLEM_SIZE])
{
	const struct tls_calls *found;
	const char *why;
	void *module;

	if (calls != NULL)
		return true;
	module = open_module();
	found = module != NULL ? dlsym(module, TLS_CALLS) : NULL;
	if (found != NULL && strcmp(found->version, PACKAGE_VERSION) == 0) {
		calls = found;
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
	return load(problem) ? calls->key_create(type, name, problem) : NULL;
}

int
tls_key_write(const struct tls_key *key, const char *path)
{
	return calls->key_write(key, path);
}

struct tls_key *
tls_key_read(const char *path, char problem[TLS_PROBLEM_SIZE])
{
	return load(problem) ? calls->key_read(path, problem) : NULL;
}

struct tls_key *
tls_key_open(const char *path, char problem[TLS_PROBLEM_SIZE])
{
	return load(problem) ? calls->key_open(path, problem) : NULL;
}

void
tls_key_fingerprint(
	const struct tls_key *key, char fingerprint[TLS_FINGERPRINT_SIZE])
{
	calls->key_fingerprint(key, fingerprint);
}

void
tls_key_free(struct tls_key *key)
{
	if (key != NULL)
		calls->key_free(key);
}

struct tls_context *
tls_server(struct tls_key *key, char problem[TLS_PROBLEM_SIZE])
{
	return load(problem) ? calls->server(key, problem) : NULL;
}

struct tls_context *
tls_client(struct tls_key *key, char problem[TLS_PROBLEM_SIZE])
{
	return load(problem) ? calls->client(key, problem) : NULL;
}

int
tls_warm_up(struct tls_context *server)
{
	return calls->warm_up(server);
}

void
tls_context_free(struct tls_context *c)
{
	if (c != NULL)
		calls->context_free(c);
}

struct tls *
tls_open(struct tls_context *c, int fd)
{
	return calls->open(c, fd);
}

int
tls_handshake(struct tls *t)
{
	return calls->handshake(t);
}

bool
tls_peer(const struct tls *t, char fingerprint[TLS_FINGERPRINT_SIZE])
{
	return calls->peer(t, fingerprint);
}

ssize_t
tls_read(struct tls *t, void *data, size_t len)
{
	return calls->read(t, data, len);
}

ssize_t
tls_write(struct tls *t, const void *data, size_t len)
{
	return calls->write(t, data, len);
}

bool
tls_pending(const struct tls *t)
{
	return calls->pending(t);
}

int
tls_shutdown(struct tls *t)
{
	return calls->shutdown(t);
}

const char *
tls_problem(const struct tls *t)
{
	return calls->problem(t);
}

void
tls_close(struct tls *t)
{
	if (t != NULL)
		calls->close(t);
}
