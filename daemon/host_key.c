#include "host_key.h"

#include "trusted.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "host_key"

bool
host_key_needed(const struct settings *s)
{
	size_t i;

	for (i = 0; i < s->nlisten; i++)
		if (s->listen[i].tls)
			return true;
	return false;
}

/* Two that start at once must end up with the same one. */
static struct tls_key *
make_key(const char *path, char problem[TLS_PROBLEM_SIZE])
{
	char host[HOST_NAME_MAX + 1] = "";
	struct tls_key *key;
	bool exists;

	gethostname(host, sizeof(host) - 1);
	key = tls_key_create(TLS_KEY_P256, *host ? host : "bridled", problem);
	if (key == NULL || tls_key_write(key, path) == 0)
		return key;
	exists = errno == EEXIST;
	snprintf(problem, TLS_PROBLEM_SIZE, "%s", strerror(errno));
	tls_key_free(key);
	return exists ? tls_key_read(path, problem) : NULL;
}

struct tls_context *
host_key_open(const struct settings *s, char fingerprint[TLS_FINGERPRINT_SIZE],
	struct buf *errors)
{
	char problem[TLS_PROBLEM_SIZE] = "OpenSSL fails", path[PATH_MAX];
	struct tls_context *context = NULL;
	struct buf why = { 0 };
	struct tls_key *key;

	snprintf(path, sizeof(path), "%s/" FILE_NAME, s->state_dir);
	key = tls_key_read(path, problem);
	if (key == NULL && errno == ENOENT)
		key = make_key(path, problem);
	/* Who may put another there, or look it up first, could be us. */
	if (key != NULL && !trusted_path(path, &why)) {
		snprintf(problem, sizeof(problem), "%s", buf_str(&why));
		tls_key_free(key);
		key = NULL;
	}
	buf_free(&why);
	if (key != NULL && (context = tls_server(key, problem)) != NULL &&
		tls_warm_up(context) != 0) {
		tls_context_free(context);
		context = NULL;
	}
	if (context == NULL)
		buf_addf(errors, "%s: %s\n", path, problem);
	else if (fingerprint != NULL)
		tls_key_fingerprint(key, fingerprint);
	tls_key_free(key);
	return context;
}
