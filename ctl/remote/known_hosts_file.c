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

/*
 * Store the key if the host is unknown or if `replace` is true. *found
 * describes the file before the change. The caller must hold the lock. Returns
 * 0, or -1 with a sentence appended to problem.
 */
static int
change(const char *path, const char *host, const char *fingerprint,
	bool replace, struct known_found *found, struct buf *problem)
{
	struct buf out = { 0 };
	char *text;
	size_t len;
	int result;

	if ((text = locked_file_read(path, &len, problem)) == NULL)
		return -1;
	result = known_hosts_find(
		text, len, path, host, fingerprint, found, problem);
	if (result == 0 && (replace || found->known == KNOWN_NOT)) {
		known_hosts_replace(text, len, host, fingerprint, &out);
		result = locked_file_replace(path, &out, problem);
	}
	buf_free(&out);
	free(text);
	return result;
}

static int
lock_and_change(const char *name, const char *host, const char *fingerprint,
	bool replace, struct known_found *found, struct buf *problem)
{
	/*
	 * If the name is a symbolic link, change the file at the end of the
	 * link.
	 */
	char *real = realpath(name, NULL);
	const char *path = real ? real : name;
	int lock, result = -1;

	if (config_dir_make(path, problem) == 0 &&
		(lock = locked_file_lock(path, problem)) != -1) {
		result = change(
			path, host, fingerprint, replace, found, problem);
		fd_close(&lock);
	}
	free(real);
	return result;
}

int
known_hosts_file_add(const char *path, const char *host,
	const char *fingerprint, struct known_found *found, struct buf *problem)
{
	memset(found, 0, sizeof(*found));
	return lock_and_change(path, host, fingerprint, false, found, problem);
}

int
known_hosts_file_replace(const char *path, const char *host,
	const char *fingerprint, struct buf *problem)
{
	struct known_found found;

	return lock_and_change(path, host, fingerprint, true, &found, problem);
}
