#include "config_file.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SIZE_LIMIT (1024 * 1024)
#define XATTR_SIZE 65536 /* the kernel's own limit for names and values */

static int
fail(struct buf *problem, const char *path)
{
	buf_addf(problem, "%s: %s", path, strerror(errno));
	if (errno == EACCES && geteuid() != 0)
		buf_adds(problem, " (edit it as root, as with sudo)");
	return -1;
}

/* Who holds the lock: "anna, pid 123". */
static void
add_holder(struct buf *out, pid_t pid)
{
	struct buf path = { 0 };
	struct passwd *pw = NULL;
	struct stat st;

	buf_addf(&path, "/proc/%d", (int)pid);
	if (stat(buf_str(&path), &st) == 0)
		pw = getpwuid(st.st_uid);
	buf_addf(out, "%s, pid %d", pw ? pw->pw_name : "somebody", (int)pid);
	buf_free(&path);
}

/*
 * A record lock, since it tells who has it. It ends with any descriptor of
 * the file: nothing else in this program may open it meanwhile.
 */
static int
take_lock(const struct config_file *f, struct buf *problem)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(f->fd, F_SETLK, &l) == 0)
		return 0;
	if ((errno != EACCES && errno != EAGAIN) ||
		fcntl(f->fd, F_GETLK, &l) != 0)
		return fail(problem, f->path);
	buf_addf(problem, "%s is being edited by ", f->path);
	add_holder(problem, l.l_pid);
	buf_adds(problem, ": nothing is changed; try again after that");
	return -1;
}

/* Whether it is still the file that was opened, and as it was. */
static bool
is_untouched(const struct config_file *f)
{
	struct stat now;

	return stat(f->path, &now) == 0 && now.st_dev == f->st.st_dev &&
	       now.st_ino == f->st.st_ino && now.st_size == f->st.st_size &&
	       now.st_mtim.tv_sec == f->st.st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == f->st.st_mtim.tv_nsec;
}

static int
open_locked(struct config_file *f, const char *path, struct buf *problem)
{
	if ((f->path = realpath(path, NULL)) == NULL)
		return fail(problem, path);
	f->fd = open(f->path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (f->fd == -1)
		return fail(problem, f->path);
	if (take_lock(f, problem) != 0)
		return -1;
	if (fstat(f->fd, &f->st) != 0)
		return fail(problem, f->path);
	if (!S_ISREG(f->st.st_mode)) {
		buf_addf(problem, "%s is not a regular file", f->path);
		return -1;
	}
	/* Another edit may have ended between the two. */
	if (!is_untouched(f)) {
		buf_addf(problem, "%s has just been changed: try again",
			f->path);
		return -1;
	}
	if ((f->text = fd_read_all(f->fd, SIZE_LIMIT, &f->len)) == NULL)
		return fail(problem, f->path);
	return 0;
}

/* "DIR/edit-XXXXXX-bridled.conf": editors go by the end of a name. */
static int
make_copy(struct config_file *f, struct buf *problem)
{
	const char *base = strrchr(f->path, '/') + 1;
	int fd, result = -1;
	char *copy;

	if (asprintf(&copy, "%.*sedit-XXXXXX-%s", (int)(base - f->path),
		    f->path, base) == -1)
		return fail(problem, f->path);
	fd = mkostemps(copy, (int)strlen(base) + 1, O_CLOEXEC);
	if (fd == -1) {
		fail(problem, copy);
		free(copy);
		return -1;
	}
	f->copy = copy;
	if (fd_write_all(fd, f->text, f->len) == 0)
		result = 0;
	else
		fail(problem, copy);
	fd_close(&fd);
	return result;
}

int
config_file_open(struct config_file *f, const char *path, struct buf *problem)
{
	memset(f, 0, sizeof(*f));
	f->fd = -1;
	if (open_locked(f, path, problem) == 0 && make_copy(f, problem) == 0)
		return 0;
	config_file_close(f, false);
	return -1;
}

/* Anew each time: editors write another file in its place. */
static int
open_copy(const struct config_file *f, struct buf *problem)
{
	int fd = open(f->copy,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) != 0) {
		fail(problem, f->copy);
		fd_close(&fd);
	} else if (!S_ISREG(st.st_mode)) {
		buf_addf(problem, "%s is not a regular file", f->copy);
		fd_close(&fd);
	}
	return fd;
}

enum config_copy
config_file_look(const struct config_file *f, struct buf *problem)
{
	enum config_copy result = COPY_BAD;
	int fd = open_copy(f, problem);
	char *text = NULL;
	size_t len = 0;

	if (fd != -1 && (text = fd_read_all(fd, SIZE_LIMIT, &len)) == NULL)
		fail(problem, f->copy);
	else if (fd != -1 && len == 0 && f->len > 0)
		/* A slip rather than a wish: all of it would be default. */
		buf_adds(problem, "there is nothing left of the text");
	else if (fd != -1)
		result = len == f->len && memcmp(text, f->text, len) == 0
				 ? COPY_SAME
				 : COPY_CHANGED;
	free(text);
	fd_close(&fd);
	return result;
}

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

/* Access control lists are among them, and what SELinux goes by. */
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

/* Only what differs is set: an ordinary user may not do more. */
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

/* It stands there already: should this fail, only a power cut could tell. */
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

static int
put_in_place(struct config_file *f, int fd, struct buf *problem)
{
	if (!is_untouched(f)) {
		buf_addf(problem,
			"%s has been changed by somebody else meanwhile",
			f->path);
		return -1;
	}
	if (keep_owner(&f->st, fd) != 0 || keep_attributes(f->fd, fd) != 0 ||
		fchmod(fd, f->st.st_mode & 07777) != 0) {
		buf_addf(problem,
			"the owner, mode and attributes of %s cannot be "
			"kept: %s",
			f->path, strerror(errno));
		return -1;
	}
	if (fsync(fd) != 0 || rename(f->copy, f->path) != 0)
		return fail(problem, f->path);
	free(f->copy);
	f->copy = NULL;
	sync_folder(f->path);
	return 0;
}

int
config_file_install(struct config_file *f, struct buf *problem)
{
	int fd = open_copy(f, problem), result = -1;

	if (fd != -1)
		result = put_in_place(f, fd, problem);
	fd_close(&fd);
	return result;
}

void
config_file_close(struct config_file *f, bool keep_copy)
{
	if (f->copy != NULL && !keep_copy)
		unlink(f->copy);
	fd_close(&f->fd);
	free(f->copy);
	free(f->text);
	free(f->path);
}
