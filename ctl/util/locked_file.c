#include "util/locked_file.h"

#include "clock.h"
#include "fd.h"
#include "trusted_path.h"
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
#define LOCK_PAUSE 20 /* ms between two attempts to take the lock */

static int
fail(struct buf *problem, const char *path)
{
	return problem_add(problem, "%s: %s", path, strerror(errno));
}

char *
locked_file_read(const char *path, size_t *len, struct buf *problem)
{
	char *text = NULL;
	struct stat st;
	int fd;

	*len = 0;
	/*
	 * Use flags so that open() does not block on a FIFO, and does not make
	 * a terminal the controlling terminal.
	 */
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
	/*
	 * Refuse a file that other users can write, because these users could
	 * replace keys.
	 */
	else if (trusted_path(path, problem) &&
		 trusted_name(path, &st, problem) &&
		 (text = fd_read_all(fd, SIZE_LIMIT, len)) == NULL)
		fail(problem, path);
	fd_close(&fd);
	return text;
}

int
locked_file_lock(const char *path, struct buf *problem)
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

int
locked_file_replace(const char *path, struct buf *text, struct buf *problem)
{
	struct buf name = { 0 };
	int fd, result = -1;

	/* Remove the new file of an earlier process that was killed. */
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
