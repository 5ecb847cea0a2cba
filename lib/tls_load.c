/*
 * The functions of tls.h that load the TLS module, for bridled and bridlectl.
 * These functions make a key or a context. All other functions are in
 * tls_stubs.c, and take a key or a context. The module is therefore already
 * loaded when a program calls them.
 */
#include "tls_calls.h"

#include "config.h"

#include "install_path.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * Set `path` to the path of the module. Return 0, or -1 with `problem` and
 * errno.
 */
static int
find(char path[PATH_MAX], char problem[TLS_PROBLEM_SIZE])
{
	struct buf why = { 0 };
	int result = install_path(path, TLS_MODULE, MODULEDIR, &why);

	if (result != 0)
		snprintf(problem, TLS_PROBLEM_SIZE, "cannot speak TLS: %s",
			buf_str(&why));
	buf_free(&why);
	errno = ELIBACC;
	return result;
}

static bool
load(char problem[TLS_PROBLEM_SIZE])
{
	const struct tls_calls *found;
	char path[PATH_MAX];
	const char *why;
	void *module;

	if (tls_found != NULL)
		return true;
	if (find(path, problem) != 0)
		return false;
	module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	found = module != NULL ? dlsym(module, TLS_CALLS) : NULL;
	if (found != NULL && strcmp(found->version, PACKAGE_VERSION) == 0) {
		tls_found = found;
		return true;
	}
	why = found != NULL ? "the module has another version" : dlerror();
	snprintf(problem, TLS_PROBLEM_SIZE, "cannot speak TLS: %s",
		why != NULL ? why : "the module is damaged");
	if (module != NULL)
		dlclose(module);
	errno = ELIBACC;
	return false;
}

#define MAKE(type, name, parameters, arguments)                          \
	type tls_##name parameters                                       \
	{                                                                \
		return load(problem) ? tls_found->name arguments : NULL; \
	}

TLS_MAKERS(MAKE)
