#include "remote/client_key.h"

#include "util/config_dir.h"
#include "util/message.h"
#include "util/problem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int
client_key_path(struct buf *path, struct buf *problem)
{
	return config_dir_file("key", path, problem);
}

/*
 * Append the path of the user's key. The path is e->identity, or the path of
 * the default key. If the default key has no path, append nothing.
 */
static void
find_path(const struct endpoint *e, struct buf *path)
{
	struct buf ignored = { 0 };

	if (e->identity != NULL)
		buf_adds(path, e->identity);
	/*
	 * Append nothing if there is no home folder, because the default key
	 * then has no path.
	 */
	else if (client_key_path(path, &ignored) != 0)
		buf_reset(path);
	buf_free(&ignored);
}

/*
 * Read a key into *key. Returns 0, or -1 with a sentence appended to problem.
 * If `named` is false and the file is missing, set *key to NULL and return 0.
 */
static int
read_key(const char *path, bool named, enum client_key_when when,
	struct tls_key **key, struct buf *problem)
{
	char why[TLS_PROBLEM_SIZE];
	bool missing;

	*key = NULL;
	if (*path == '\0')
		return 0;
	*key = when == CLIENT_KEY_NOW ? tls_key_read(path, why)
				      : tls_key_open(path, why);
	missing = errno == ENOENT;
	if (*key != NULL || (!named && missing))
		return 0;
	problem_add(problem, "the key %s: %s", path, why);
	if (missing)
		problem_add(problem,
			"; correct the path, or create the key with "
			"'bridlectl keygen %s'",
			path);
	return -1;
}

/*
 * Read the user's key into *key. If there is no default key, *key becomes NULL.
 * Returns 0, or -1 with a sentence appended to problem.
 */
static int
read_now(const struct endpoint *e, struct tls_key **key, struct buf *problem)
{
	struct buf path = { 0 };
	int result;

	find_path(e, &path);
	result = read_key(buf_str(&path), e->identity != NULL, CLIENT_KEY_NOW,
		key, problem);
	buf_free(&path);
	return result;
}

/* A TLS context that is kept for later calls. */
struct kept {
	struct kept *next;
	char *path;
	struct tls_key *key; /* the user's key, or NULL */
	struct tls_context *context;
};

static void
free_kept(struct kept *k)
{
	if (k == NULL)
		return;
	tls_context_free(k->context);
	tls_key_free(k->key);
	free(k->path);
	free(k);
}

static struct kept *
make(const struct endpoint *e, const char *path, enum client_key_when when,
	struct buf *problem)
{
	struct kept *k = calloc(1, sizeof(*k));
	char why[TLS_PROBLEM_SIZE];

	if (k == NULL || (k->path = strdup(path)) == NULL) {
		buf_adds(problem, "out of memory");
	} else if (read_key(path, e->identity != NULL, when, &k->key,
			   problem) == 0) {
		if ((k->context = tls_client(k->key, why)) != NULL)
			return k;
		buf_adds(problem, why);
	}
	free_kept(k);
	return NULL;
}

struct tls_context *
client_key_context(const struct endpoint *e, enum client_key_when when,
	struct buf *problem)
{
	static struct kept *kept;
	struct buf path = { 0 };
	struct kept *k;

	find_path(e, &path);
	for (k = kept; k != NULL; k = k->next)
		if (strcmp(k->path, buf_str(&path)) == 0)
			break;
	if (k == NULL && (k = make(e, buf_str(&path), when, problem)) != NULL) {
		k->next = kept;
		kept = k;
	}
	buf_free(&path);
	return k != NULL ? k->context : NULL;
}

void
client_key_hint(const struct endpoint *e)
{
	char fingerprint[TLS_FINGERPRINT_SIZE];
	struct buf problem = { 0 };
	struct tls_key *key;

	if (read_now(e, &key, &problem) != 0) {
		message_host(e->target->name, "%s", buf_str(&problem));
	} else if (key == NULL) {
		message_host(e->target->name,
			"you have no key; run 'bridlectl keygen', then "
			"'bridlectl enrol', or 'bridlectl admit' on the host");
	} else {
		tls_key_fingerprint(key, fingerprint);
		message_host(e->target->name,
			"your key is %s; no entry of the host's clients has "
			"this key and allows your address (see 'bridlectl "
			"admit')",
			fingerprint);
	}
	tls_key_free(key);
	buf_free(&problem);
}
