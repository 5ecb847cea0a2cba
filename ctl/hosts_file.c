#include "hosts_file.h"

#include "clock.h"
#include "fd.h"
#include "home.h"
#include "trusted.h"

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
#define LOCK_PAUSE 20 /* ms */

static int
fail(struct buf *problem, const char *path)
{
	buf_addf(problem, "%s: %s", path, strerror(errno));
	return -1;
}

/* The whole text, the caller's to free; NULL with a problem. */
static char *
read_text(const char *path, size_t *len, struct buf *problem)
{
	char *text = NULL;
	struct stat st;
	int fd;

	*len = 0;
	/* Not to hang on a fifo, nor to be given a terminal. */
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
	/* Who may write it, decides whom we trust. */
	else if (trusted_path(path, problem) &&
		 (text = fd_read_all(fd, SIZE_LIMIT, len)) == NULL)
		fail(problem, path);
	fd_close(&fd);
	return text;
}

int
hosts_file_find(const char *path, const char *host, const char *fingerprint,
	struct known_found *found, struct buf *problem)
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
hosts_file_list(const char *path, struct buf *names, struct buf *problem)
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
 * A lock beside the file, since the file itself is replaced. Its descriptor;
 * -1 with a problem. It is not waited for endlessly: somebody may have been
 * stopped in the middle.
 */
static int
take_lock(const char *path, struct buf *problem)
{
	int64_t deadline = clock_ms() + LOCK_SECONDS * 1000;
	struct buf name = { 0 };
	int fd;

	buf_addf(&name, "%s.lock", path);
	fd = open(buf_str(&name), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		0600);
	while (fd != -1 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EINTR)
			continue;
		if (errno == EWOULDBLOCK && clock_left(deadline) > 0) {
			poll(NULL, 0, LOCK_PAUSE);
			continue;
		}
		fd_close(&fd);
	}
	if (fd == -1)
		fail(problem, buf_str(&name));
	buf_free(&name);
	return fd;
}

/* A new file in the place of the old one; who holds the lock is alone. */
static int
write_text(const char *path, struct buf *text, struct buf *problem)
{
	struct buf name = { 0 };
	int fd, result = -1;

	buf_addf(&name, "%s.new", path);
	fd = open(buf_str(&name),
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
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

/* With the lock held. */
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
	/* It may be a link to where such files are kept; that one is meant. */
	char *real = realpath(name, NULL);
	const char *path = real ? real : name;
	int lock, result = -1;

	if (home_make_folder(path, problem) == 0 &&
		(lock = take_lock(path, problem)) != -1) {
		result = change(
			path, host, fingerprint, replace, found, problem);
		fd_close(&lock);
	}
	free(real);
	return result;
}

int
hosts_file_add(const char *path, const char *host, const char *fingerprint,
	struct known_found *found, struct buf *problem)
{
	memset(found, 0, sizeof(*found));
	return lock_and_change(path, host, fingerprint, false, found, problem);
}

int
hosts_file_replace(const char *path, const char *host, const char *fingerprint,
	struct buf *problem)
{
	struct known_found found;

	return lock_and_change(path, host, fingerprint, true, &found, problem);
}
