#include "remote/known_hosts_file.h"

#include "fd.h"
#include "util/config_dir.h"
#include "util/locked_file.h"

#include <stdlib.h>
#include <string.h>

int
known_hosts_file_find(const char *path, const char *host,
	const char *fingerprint, struct known_found *found, struct buf *problem)
{
	char *text;
	size_t len;
	int result;

	memset(found, 0, sizeof(*found));
	if ((text = locked_file_read(path, &len, problem)) == NULL)
		return -1;
	result = known_hosts_find(
		text, len, path, host, fingerprint, found, problem);
	free(text);
	return result;
}

int
known_hosts_file_list(const char *path, struct buf *names, struct buf *problem)
{
	char *text;
	size_t len;

	if ((text = locked_file_read(path, &len, problem)) == NULL)
		return -1;
	known_hosts_list(text, len, names);
	free(text);
	return 0;
}

int
known_hosts_file_print(const char *path, struct buf *out, struct buf *problem)
{
	char *text;
	size_t len;
	int result;

	if ((text = locked_file_read(path, &len, problem)) == NULL)
		return -1;
	result = known_hosts_print(text, len, path, out, problem);
	free(text);
	return result;
}

/* A change of the keys of one host. */
struct change {
	const char *host;
	const char *fingerprint; /* the key to store; NULL: remove all keys */
	bool replace;            /* true: replace keys that are known */
	/* The state before the change: */
	struct known_found found; /* not set if all keys are removed */
	size_t removed;           /* number of removed lines */
};

/*
 * Remove the lines of the host. The caller must hold the lock. Returns 0, or -1
 * with a sentence appended to problem.
 */
static int
remove_host(const char *path, struct change *c, struct buf *problem)
{
	struct buf out = { 0 };
	char *text;
	size_t len;
	int result = 0;

	if ((text = locked_file_read(path, &len, problem)) == NULL)
		return -1;
	c->removed = known_hosts_remove(text, len, c->host, &out);
	if (c->removed > 0)
		result = locked_file_replace(path, &out, problem);
	buf_free(&out);
	free(text);
	return result;
}

/*
 * Store the key if the host is unknown or if c->replace is true. The caller
 * must hold the lock. Returns 0, or -1 with a sentence appended to problem.
 */
static int
store(const char *path, struct change *c, struct buf *problem)
{
	struct buf out = { 0 };
	char *text;
	size_t len;
	int result;

	if ((text = locked_file_read(path, &len, problem)) == NULL)
		return -1;
	result = known_hosts_find(
		text, len, path, c->host, c->fingerprint, &c->found, problem);
	if (result == 0 && (c->replace || c->found.known == KNOWN_NOT)) {
		known_hosts_replace(text, len, c->host, c->fingerprint, &out);
		result = locked_file_replace(path, &out, problem);
	}
	buf_free(&out);
	free(text);
	return result;
}

static int
lock_and_change(const char *name, struct change *c, struct buf *problem)
{
	/*
	 * If the name is a symbolic link, change the file to which the link
	 * leads.
	 */
	char *real = realpath(name, NULL);
	const char *path = real ? real : name;
	int lock, result = -1;

	if (config_dir_make(path, problem) == 0 &&
		(lock = locked_file_lock(path, problem)) != -1) {
		result = c->fingerprint != NULL ? store(path, c, problem)
						: remove_host(path, c, problem);
		fd_close(&lock);
	}
	free(real);
	return result;
}

int
known_hosts_file_add(const char *path, const char *host,
	const char *fingerprint, struct known_found *found, struct buf *problem)
{
	struct change c = { .host = host, .fingerprint = fingerprint };
	int result = lock_and_change(path, &c, problem);

	*found = c.found;
	return result;
}

int
known_hosts_file_replace(const char *path, const char *host,
	const char *fingerprint, struct buf *problem)
{
	struct change c = {
		.host = host, .fingerprint = fingerprint, .replace = true
	};

	return lock_and_change(path, &c, problem);
}

int
known_hosts_file_remove(const char *path, const char *host, size_t *removed,
	struct buf *problem)
{
	struct change c = { .host = host };
	int result = lock_and_change(path, &c, problem);

	*removed = c.removed;
	return result;
}
