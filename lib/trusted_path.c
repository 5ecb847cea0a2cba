#include "trusted_path.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * True if only root and the effective user can change the file or folder. If
 * false, append the problem to `why`.
 */
static bool
check_stat(const char *path, const struct stat *st, struct buf *why)
{
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		buf_addf(why,
			"%s belongs to uid %u, which could change it: "
			"chown root %s",
			path, (unsigned)st->st_uid, path);
		return false;
	}
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) == 0 ||
		(S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX)))
		return true;
	buf_addf(why, "%s may be written by others: chmod go-w %s", path, path);
	return false;
}

static bool
check_folders(const char *folder, struct buf *why)
{
	char *path = realpath(folder, NULL);
	struct stat st;
	bool good;

	do {
		if (path == NULL || stat(path, &st) != 0) {
			buf_addf(why, "%s: %s", path ? path : folder,
				strerror(errno));
			good = false;
			break;
		}
		good = check_stat(path, &st, why);
	} while (good && strcmp(path, "/") != 0 && dirname(path) == path);
	free(path);
	return good;
}

/*
 * True if all folders above the path are trusted. If the path is a link, also
 * check the folders above the link's target.
 */
static bool
check_above(const char *path, struct buf *why)
{
	char *named = strdup(path), *real = realpath(path, NULL);
	bool good = false;

	if (named == NULL || real == NULL)
		buf_addf(why, "%s: %s", path, strerror(errno));
	else
		good = check_folders(dirname(named), why) &&
		       check_folders(dirname(real), why);
	free(real);
	free(named);
	return good;
}

bool
trusted_file(const char *path, const struct stat *st, struct buf *why)
{
	return check_stat(path, st, why) && check_above(path, why);
}

bool
trusted_path(const char *path, struct buf *why)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		buf_addf(why, "%s: %s", path, strerror(errno));
		return false;
	}
	return trusted_file(path, &st, why);
}

/*
 * True if users other than root and the effective user can write to the folder
 * of `path`. If this check fails, the result is also true.
 */
static bool
others_write(const char *path)
{
	char *copy = strdup(path);
	struct stat st;
	bool result = copy == NULL || stat(dirname(copy), &st) != 0 ||
		      (st.st_uid != 0 && st.st_uid != geteuid()) ||
		      (st.st_mode & (S_IWGRP | S_IWOTH));

	free(copy);
	return result;
}

bool
trusted_name(const char *path, const struct stat *st, struct buf *why)
{
	bool linked = st->st_nlink > 1;
	struct stat named;

	if (lstat(path, &named) == 0 && S_ISLNK(named.st_mode))
		linked = true;
	if (!linked || !others_write(path))
		return true;
	buf_addf(why,
		"%s is a link in a folder that others may write to: use "
		"another folder",
		path);
	return false;
}

/*
 * True if the file is a regular file of the effective user. If false, append
 * the problem to `why`.
 */
static bool
check_own(const char *path, const struct stat *st, struct buf *why)
{
	if (!S_ISREG(st->st_mode))
		buf_addf(why, "%s is %s, not a regular file: name another",
			path,
			S_ISLNK(st->st_mode)    ? "a link"
			: S_ISDIR(st->st_mode)  ? "a folder"
			: S_ISFIFO(st->st_mode) ? "a FIFO"
						: "a device or a socket");
	else if (st->st_uid != geteuid())
		buf_addf(why, "%s belongs to uid %u, not to you: name another",
			path, (unsigned)st->st_uid);
	else
		return true;
	return false;
}

int
trusted_open(const char *path, int flags, mode_t mode, struct buf *why)
{
	int fd = open(path,
		flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode);
	int error = errno;
	struct stat st;

	if (fd == -1) {
		/*
		 * Report a wrong type or owner rather than the errno of
		 * open(2), which explains less.
		 */
		if (lstat(path, &st) != 0 || check_own(path, &st, why))
			buf_addf(why, "%s: %s", path, strerror(error));
	} else if (fstat(fd, &st) != 0) {
		buf_addf(why, "%s: %s", path, strerror(errno));
		fd_close(&fd);
	} else if (!check_own(path, &st, why) ||
		   !trusted_name(path, &st, why)) {
		fd_close(&fd);
	}
	return fd;
}
