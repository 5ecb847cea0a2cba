#include "own_key.h"

#include "home.h"
#include "notice.h"

#include <errno.h>

int
own_key_path(struct buf *path, struct buf *problem)
{
	return home_file("key", path, problem);
}

int
own_key_read(
	const struct invocation *inv, struct tls_key **key, struct buf *problem)
{
	const char *named = inv->options.values[OPT_IDENTITY];
	char why[TLS_PROBLEM_SIZE];
	struct buf path = { 0 };
	int result = 0;

	*key = NULL;
	if (named != NULL)
		buf_adds(&path, named);
	/* Without a home there is no key in it. */
	else if (own_key_path(&path, &path) != 0)
		goto out;
	*key = tls_key_read(buf_str(&path), why);
	if (*key == NULL && (named != NULL || errno != ENOENT)) {
		buf_addf(problem, "the key %s: %s", buf_str(&path), why);
		result = -1;
	}
out:
	buf_free(&path);
	return result;
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
