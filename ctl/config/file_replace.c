#include "config/file_replace.h"

#include "fd.h"
#include "util/message.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* number of bytes; the kernel's limit for a value and for the list of names */
#define XATTR_SIZE 65536

static int
keep_attribute(int from, int to, const char *name)
{
	char *value = malloc(XATTR_SIZE);
	ssize_t len = -1;
	int result = -1;

	if (value != NULL)
		len = fgetxattr(from, name, value, XATTR_SIZE);
	if (len >= 0)
		result = fsetxattr(to, name, value, (size_t)len, 0);
	free(value);
	return result;
}

/*
 * Copy all extended attributes, which include access control lists and SELinux
 * contexts. Return 0, or -1 with errno.
 */
static int
keep_attributes(int from, int to)
{
	char *names = malloc(XATTR_SIZE), *name;
	ssize_t len = -1;
	int result = 0;

	if (names != NULL)
		len = flistxattr(from, names, XATTR_SIZE);
	if (len < 0)
		result = names != NULL && errno == ENOTSUP ? 0 : -1;
	for (name = names; result == 0 && len > 0 && name < names + len;
		name += strlen(name) + 1)
		result = keep_attribute(from, to, name);
	free(names);
	return result;
}

/*
 * Set the owner and the group of the copy if they differ from the owner and the
 * group of the file. An ordinary user is not allowed to change the owner.
 * Return 0, or -1 with errno.
 */
static int
keep_owner(const struct stat *st, int to)
{
	struct stat now;

	if (fstat(to, &now) != 0)
		return -1;
	if (now.st_uid == st->st_uid && now.st_gid == st->st_gid)
		return 0;
	return fchown(to, st->st_uid, st->st_gid);
}

/*
 * Flush the directory of the file to the disk. Ignore errors, because the file
 * is already replaced.
 */
static void
sync_folder(const char *path)
{
	char *name = strdup(path);
	int fd = -1;

	if (name != NULL)
		fd = open(dirname(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1)
		fsync(fd);
	fd_close(&fd);
	free(name);
}

/*
 * Copy owner, group, mode and extended attributes. Return 0, or -1 with errno.
 */
static int
keep_all(int from, int to)
{
	struct stat st;

	if (fstat(from, &st) != 0 || keep_owner(&st, to) != 0 ||
		keep_attributes(from, to) != 0)
		return -1;
	return fchmod(to, st.st_mode & 07777);
}

int
file_replace(const char *path, const char *fresh, int fd, int old)
{
	if (old != -1 && keep_all(old, fd) != 0) {
		message_print(
			"cannot keep the owner, mode and attributes of %s: %s",
			path, strerror(errno));
		return -1;
	}
	if (fsync(fd) != 0 || rename(fresh, path) != 0) {
		message_print("%s: %s", path, strerror(errno));
		return -1;
	}
	sync_folder(path);
	return 0;
}

/* Do the work of file_replace_text() with the new file `fresh`. */
static int
fill_and_replace(const char *path, const char *fresh, int fd, const char *text,
	size_t len, mode_t mode)
{
	int old = open(path,
		O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	int result = -1;

	if (old == -1 && errno != ENOENT)
		message_print("%s: %s", path, strerror(errno));
	else if (fd_write_all(fd, text, len) != 0 || fchmod(fd, mode) != 0)
		message_print("%s: %s", fresh, strerror(errno));
	else
		result = file_replace(path, fresh, fd, old);
	fd_close(&old);
	return result;
}

int
file_replace_text(const char *path, const char *text, size_t len, mode_t mode)
{
	char *fresh;
	int fd, result;

	/* No program reads a file of conf.d whose name begins with a dot. */
	if (asprintf(&fresh, "%.*s.new-XXXXXX",
		    (int)(strrchr(path, '/') + 1 - path), path) == -1)
		return -1;
	if ((fd = mkostemp(fresh, O_CLOEXEC)) == -1) {
		message_print("%s: %s", fresh, strerror(errno));
		free(fresh);
		return -1;
	}
	result = fill_and_replace(path, fresh, fd, text, len, mode);
	if (result != 0)
		unlink(fresh);
	fd_close(&fd);
	free(fresh);
	return result;
}
