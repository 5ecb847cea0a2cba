#include "own_key.h"

#include "home.h"
#include "notice.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int
own_key_path(struct buf *path, struct buf *problem)
{
	return home_file("key", path, problem);
}

/* The file that is named for this call or this host; NULL: none is. */
static const char *
named_path(const struct invocation *inv)
{
	if (inv->options.values[OPT_IDENTITY] != NULL)
		return inv->options.values[OPT_IDENTITY];
	return inv->host ? inv->host->identity : NULL;
}

/* The file, "" where there is none to look for. */
static void
find_path(const struct invocation *inv, struct buf *path)
{
	const char *named = named_path(inv);
	struct buf ignored = { 0 };

	if (named != NULL)
		buf_adds(path, named);
	/* Without a home there is no key in it. */
	else if (own_key_path(path, &ignored) != 0)
		buf_reset(path);
	buf_free(&ignored);
}

/* A default one may be missing. */
static int
read_key(const char *path, bool named, enum own_key_when when,
	struct tls_key **key, struct buf *problem)
{
	char why[TLS_PROBLEM_SIZE];

	*key = NULL;
	if (*path == '\0')
		return 0;
	*key = when == OWN_KEY_NOW ? tls_key_read(path, why)
				   : tls_key_open(path, why);
	if (*key != NULL || (!named && errno == ENOENT))
		return 0;
	buf_addf(problem, "the key %s: %s", path, why);
	return -1;
}

int
own_key_read(
	const struct invocation *inv, struct tls_key **key, struct buf *problem)
{
	struct buf path = { 0 };
	int result;

	find_path(inv, &path);
	result = read_key(buf_str(&path), named_path(inv) != NULL, OWN_KEY_NOW,
		key, problem);
	buf_free(&path);
	return result;
}

struct kept {
	struct kept *next;
	char *path;
	struct tls_key *key; /* NULL: there is none */
	struct tls_context *context;
};

static void
forget(struct kept *k)
{
	if (k == NULL)
		return;
	tls_context_free(k->context);
	tls_key_free(k->key);
	free(k->path);
	free(k);
}

static struct kept *
make(const struct invocation *inv, const char *path, enum own_key_when when,
	struct buf *problem)
{
	struct kept *k = calloc(1, sizeof(*k));
	char why[TLS_PROBLEM_SIZE];

	if (k == NULL || (k->path = strdup(path)) == NULL) {
		buf_adds(problem, "out of memory");
	} else if (read_key(path, named_path(inv) != NULL, when, &k->key,
			   problem) == 0) {
		if ((k->context = tls_client(k->key, why)) != NULL)
			return k;
		buf_adds(problem, why);
	}
	forget(k);
	return NULL;
}

struct tls_context *
own_key_context(const struct invocation *inv, enum own_key_when when,
	struct buf *problem)
{
	static struct kept *kept;
	struct buf path = { 0 };
	struct kept *k;

	find_path(inv, &path);
	for (k = kept; k != NULL; k = k->next)
		if (strcmp(k->path, buf_str(&path)) == 0)
			break;
	if (k == NULL &&
		(k = make(inv, buf_str(&path), when, problem)) != NULL) {
		k->next = kept;
		kept = k;
	}
	buf_free(&path);
	return k != NULL ? k->context : NULL;
}

void
own_key_hint(const struct invocation *inv)
{
	char fingerprint[TLS_FINGERPRINT_SIZE];
	struct buf problem = { 0 };
	struct tls_key *key;

	if (own_key_read(inv, &key, &problem) != 0) {
		notice_host(inv->target.name, "%s", buf_str(&problem));
	} else if (key == NULL) {
		notice_host(inv->target.name,
			"you have shown no key: 'bridlectl keygen' makes one, "
			"and prints the entry for its clients");
	} else {
		tls_key_fingerprint(key, fingerprint);
		notice_host(inv->target.name,
			"your key is %s: no entry of its clients has it, or "
			"not from here",
			fingerprint);
	}
	tls_key_free(key);
	buf_free(&problem);
}
