#include "config/host_key.h"

#include "trusted_path.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "host_key"

/*
 * Create the host key in the file `path`. If another daemon has just created
 * the file (EEXIST), keep that file. Return 0, or -1 with the reason in
 * `problem`.
 */
static int
make_key(const char *path, char problem[TLS_PROBLEM_SIZE])
{
	char host[HOST_NAME_MAX + 1] = "";
	struct tls_key *key;
	int result;

	gethostname(host, sizeof(host) - 1);
	key = tls_key_create(TLS_KEY_P256, *host ? host : "bridled", problem);
	if (key == NULL)
		return -1;
	result = tls_key_write(key, path);
	if (result != 0 && errno == EEXIST)
		result = 0;
	if (result != 0)
		snprintf(problem, TLS_PROBLEM_SIZE, "%s", strerror(errno));
	tls_key_free(key);
	return result;
}

/*
 * Store the path of the host key's file in `path`. Return true if the file is
 * missing.
 */
static bool
is_missing(const struct settings *s, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/" FILE_NAME, s->state_dir);
	return access(path, F_OK) != 0 && errno == ENOENT;
}

int
host_key_prepare(
	const struct settings *s, char path[PATH_MAX], struct buf *errors)
{
	char problem[TLS_PROBLEM_SIZE] = "OpenSSL failed";
	int result = 0;

	if (is_missing(s, path))
		result = make_key(path, problem);
	/*
	 * Refuse the key if another user can replace or read the file. Such a
	 * user could pretend to be this host.
	 */
	if (result == 0 && !trusted_path(path, errors)) {
		buf_addc(errors, '\n');
		return -1;
	}
	if (result != 0)
		buf_addf(errors, "%s: %s\n", path, problem);
	return result;
}

int
host_key_test(const struct settings *s, struct buf *errors)
{
	char fingerprint[TLS_FINGERPRINT_SIZE], path[PATH_MAX];

	if (!is_missing(s, path))
		return host_key_fingerprint(s, fingerprint, errors);
	if (access(s->state_dir, W_OK | X_OK) == 0)
		return 0;
	buf_addf(errors, "%s: %s (state_dir, for the host key)\n", s->state_dir,
		strerror(errno));
	return -1;
}

int
host_key_fingerprint(const struct settings *s,
	char fingerprint[TLS_FINGERPRINT_SIZE], struct buf *errors)
{
	char problem[TLS_PROBLEM_SIZE], path[PATH_MAX];
	struct tls_key *key;

	if (host_key_prepare(s, path, errors) != 0)
		return -1;
	if ((key = tls_key_read(path, problem)) == NULL) {
		buf_addf(errors, "%s: %s\n", path, problem);
		return -1;
	}
	tls_key_fingerprint(key, fingerprint);
	tls_key_free(key);
	return 0;
}
