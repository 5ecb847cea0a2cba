#include "install_path.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * True if the file belongs to root or to the program's owner, and other users
 * cannot write to the file. If false, append the reason to `why`.
 */
static bool
check_file(
	const char *path, const struct stat *st, uid_t owner, struct buf *why)
{
	if (st->st_uid != 0 && st->st_uid != owner)
		buf_addf(why,
			"%s belongs to uid %u, not to root or to the owner of "
			"the program: remove it",
			path, (unsigned)st->st_uid);
	else if (!S_ISLNK(st->st_mode) && (st->st_mode & (S_IWGRP | S_IWOTH)))
		buf_addf(why, "%s may be written by others: chmod go-w %s",
			path, path);
	else
		return true;
	return false;
}

/*
 * Return false if all users can replace files in the folder of `path`, or in a
 * folder above this folder. Do not check the owner of a folder, because the
 * owner could replace the program itself. If the result is false, append the
 * reason to `why`.
 */
static bool
check_folders(const char *path, struct buf *why)
{
	char folder[PATH_MAX];
	struct stat st;

	snprintf(folder, sizeof(folder), "%s", path);
	do {
		dirname(folder);
		if (stat(folder, &st) == 0 &&
			(!(st.st_mode & S_IWOTH) || (st.st_mode & S_ISVTX)))
			continue;
		buf_addf(why, "%s is in %s, where others may replace files",
			path, folder);
		return false;
	} while (strcmp(folder, "/") != 0);
	return true;
}

/*
 * True if the file in the program's folder is as trustworthy as the program. If
 * the file is a link, check the link and its target.
 */
static bool
check_beside(const char *path, uid_t owner, struct buf *why)
{
	struct stat named, file;

	if (lstat(path, &named) != 0 || stat(path, &file) != 0) {
		buf_addf(why, "%s: %s", path, strerror(errno));
		return false;
	}
	return check_file(path, &named, owner, why) &&
	       check_file(path, &file, owner, why) && check_folders(path, why);
}

/*
 * Return the owner of the program's file. Check the path first, because under
 * valgrind /proc/self/exe leads to valgrind. If the path is gone, use
 * /proc/self/exe.
 */
static uid_t
owner_of(const char *program)
{
	struct stat st;

	return stat(program, &st) == 0 || stat("/proc/self/exe", &st) == 0
		       ? st.st_uid
		       : 0;
}

int
install_path(char path[PATH_MAX], const char *name, const char *installed,
	struct buf *why)
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
	char *slash = NULL;
	uid_t owner = 0;

	if (n > 0 && n < PATH_MAX) {
		path[n] = '\0';
		owner = owner_of(path);
		slash = strrchr(path, '/');
	}
	if (slash != NULL &&
		strlen(name) < (size_t)(path + PATH_MAX - (slash + 1))) {
		strcpy(slash + 1, name);
		if (access(path, F_OK) == 0)
			return check_beside(path, owner, why) ? 0 : -1;
	}
	snprintf(path, PATH_MAX, "%s/%s", installed, name);
	return 0;
}
