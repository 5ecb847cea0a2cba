#include "remote/known_hosts_file.h"

#include "clock.h"
#include "fd.h"
#include "trusted_path.h"
#include "util/config_dir.h"
#include "util/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_LIMIT (1024 * 1024)
#define LOCK_SECONDS 10
#define LOCK_PAUSE 20 /* ms between two attempts to lock */

static int
fail(struct buf *problem, const char *path)
{
	return problem_add(problem, "%s: %s", path, strerror(errno));
}

/*
 * Return the content of the file, or "" if the file does not exist. On failure,
 * return NULL with a sentence appended to problem. The caller frees the text.
 */
static char *
read_text(const char *path, size_t *len, struct buf *problem)
{
	char *text = NULL;
	struct stat st;
	int fd;

	*len = 0;
	/* Do not block on a FIFO, and take no controlling terminal. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1 && errno == ENOENT) {
		if ((text = strdup("")) == NULL)
			fail(problem, path);
		return text;
	}
	if (fd == -1 || fstat(fd, &st) != 0)
		fail(problem, path);
	else if (!S_ISREG(st.st_mode))
		buf_addf(problem, "%s: not a regular file", path);
	/* Refuse a file that other users can write: they could replace keys. */
	else if (trusted_path(path, problem) &&
		 trusted_name(path, &st, problem) &&
		 (text = fd_read_all(fd, SIZE_LIMIT, len)) == NULL)
		fail(problem, path);
	fd_close(&fd);
	return text;
}

int
known_hosts_file_find(const char *path, const char *host,
	const char *fingerprint, struct known_found *found, struct buf *problem)
{
	char *text;
	size_t len;
	int result;

	memset(found, 0, sizeof(*found));
	if ((text = read_text(path, &len, problem)) == NULL)
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

	if ((text = read_text(path, &len, problem)) == NULL)
		return -1;
	known_hosts_list(text, len, names);
	free(text);
	return 0;
}

/*
 * Lock the file PATH.lock, because changes replace the file PATH itself. Return
 * the descriptor of the lock file, or -1 with a sentence appended to problem.
 * Wait for LOCK_SECONDS at most: a stopped process may hold the lock.
 */
static int
take_lock(const char *path, struct buf *problem)
{
	int64_t deadline = clock_ms() + LOCK_SECONDS * 1000;
	struct buf name = { 0 };
	int fd;

	buf_addf(&name, "%s.lock", path);
	fd = trusted_open(buf_str(&name), O_RDWR | O_CREAT, 0600, problem);
	while (fd != -1 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EINTR)
			continue;
		if (errno == EWOULDBLOCK && clock_left(deadline) > 0) {
			poll(NULL, 0, LOCK_PAUSE);
			continue;
		}
		fail(problem, buf_str(&name));
		fd_close(&fd);
	}
	buf_free(&name);
	return fd;
}

/*
 * Replace the file by a new file with this text. The caller must hold the lock.
 * Returns 0, or -1 with a sentence appended to problem.
 */
static int
write_text(const char *path, struct buf *text, struct buf *problem)
{
	struct buf name = { 0 };
	int fd, result = -1;

	/* Remove the file that a killed process may have left. */
	buf_addf(&name, "%s.new", path);
	unlink(buf_str(&name));
	fd = open(
		buf_str(&name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (text->failed)
		errno = ENOMEM;
	else if (fd != -1 && fchmod(fd, 0600) == 0 &&
		 fd_write_all(fd, text->data, text->len) == 0 &&
		 fsync(fd) == 0 && rename(buf_str(&name), path) == 0)
		result = 0;
	if (result != 0) {
		fail(problem, path);
		unlink(buf_str(&name));
	}
	fd_close(&fd);
	buf_free(&name);
	return result;
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

	if ((text = read_text(path, &len, problem)) == NULL)
		return -1;
	result = known_hosts_find(
		text, len, path, host, fingerprint, found, problem);
	if (result == 0 && (replace || found->known == KNOWN_NOT)) {
		known_hosts_replace(text, len, host, fingerprint, &out);
		result = write_text(path, &out, problem);
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
		(lock = take_lock(path, problem)) != -1) {
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
