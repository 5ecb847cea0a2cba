#include "config/config_file.h"

#include "conf_files.h"
#include "config/file_replace.h"
#include "fd.h"
#include "util/installed.h"
#include "util/message.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE_LIMIT (1024 * 1024)

char *
config_file_name(const char *file)
{
	char *copy = strdup(file), *folder, *name = NULL;
	const char *base = strrchr(file, '/');

	folder = copy != NULL ? realpath(dirname(copy), NULL) : NULL;
	if (folder == NULL)
		name = strdup(file);
	else if (asprintf(&name, "%s/%s", folder,
			 base != NULL ? base + 1 : file) == -1)
		name = NULL;
	free(folder);
	free(copy);
	return name;
}

char *
config_file_main(const char *name)
{
	char *copy = strdup(name), *main = NULL;

	if (copy == NULL || !conf_files_is_drop_in(name))
		return copy;
	if (asprintf(&main, "%s/bridled.conf", dirname(dirname(copy))) == -1)
		main = NULL;
	free(copy);
	return main;
}

static int
fail(const char *path)
{
	message_print("%s: %s%s", path, strerror(errno),
		errno == EACCES && geteuid() != 0
			? " (edit the file as root, for example with sudo)"
			: "");
	return -1;
}

/* Return the name of the user who owns a process, or "somebody". */
static const char *
user_of(pid_t pid)
{
	const struct passwd *pw = NULL;
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	if (stat(path, &st) == 0)
		pw = getpwuid(st.st_uid);
	return pw ? pw->pw_name : "somebody";
}

/*
 * Lock the file with a record lock, because other processes can ask the kernel
 * which process holds the lock. The lock ends when this process closes any
 * descriptor of the file. Therefore no other code of this program is allowed to
 * open the file during the edit. Return 0, or -1 after printing a message.
 *
 * Ignore a lock for reading. Each user who can read the file can hold such a
 * lock, but an edit never holds such a lock. Without a lock, is_untouched()
 * still finds a second edit.
 */
static int
take_lock(const struct config_file *f)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(f->fd, F_SETLK, &l) == 0)
		return 0;
	if ((errno != EACCES && errno != EAGAIN) ||
		fcntl(f->fd, F_GETLK, &l) != 0)
		return fail(f->path);
	if (l.l_type != F_WRLCK)
		return 0;
	message_print("%s is being edited by %s, pid %d: nothing was changed; "
		      "try again later",
		f->path, user_of(l.l_pid), (int)l.l_pid);
	return -1;
}

/*
 * True if the path still leads to the file that was opened, and nobody has
 * changed the file.
 */
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
open_locked(struct config_file *f, const char *path)
{
	if ((f->path = realpath(path, NULL)) == NULL) {
		installed_explain(path);
		return -1;
	}
	f->fd = open(f->path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (f->fd == -1)
		return fail(f->path);
	if (take_lock(f) != 0)
		return -1;
	if (fstat(f->fd, &f->st) != 0)
		return fail(f->path);
	if (!S_ISREG(f->st.st_mode)) {
		message_print("%s is not a regular file", f->path);
		return -1;
	}
	/*
	 * Another edit may have replaced the file between open() and the lock.
	 */
	if (!is_untouched(f)) {
		message_print("%s has just been changed: try again", f->path);
		return -1;
	}
	if ((f->text = fd_read_all(f->fd, SIZE_LIMIT, &f->len)) == NULL)
		return fail(f->path);
	return 0;
}

/*
 * Copy the text to the new file "DIR/edit-XXXXXX-bridled.conf". Editors
 * recognize the type of a file by the end of its name. In the folder conf.d,
 * the name begins with a dot, so that the daemon does not read the copy. Return
 * 0, or -1 after printing a message.
 */
static int
make_copy(struct config_file *f)
{
	const char *base = strrchr(f->path, '/') + 1;
	int fd, result = -1;
	char *copy;

	if (asprintf(&copy, "%.*s%sedit-XXXXXX-%s", (int)(base - f->path),
		    f->path, conf_files_is_drop_in(f->path) ? "." : "",
		    base) == -1)
		return fail(f->path);
	fd = mkostemps(copy, (int)strlen(base) + 1, O_CLOEXEC);
	if (fd == -1) {
		fail(copy);
		free(copy);
		return -1;
	}
	f->copy = copy;
	if (fd_write_all(fd, f->text, f->len) == 0)
		result = 0;
	else
		fail(copy);
	fd_close(&fd);
	return result;
}

int
config_file_open(struct config_file *f, const char *path)
{
	memset(f, 0, sizeof(*f));
	f->fd = -1;
	if (open_locked(f, path) == 0 && make_copy(f) == 0)
		return 0;
	config_file_close(f, false);
	return -1;
}

/*
 * Open the copy. Do not keep the descriptor during the edit, because some
 * editors replace the file. Return the descriptor, or -1 after printing a
 * message.
 */
static int
open_copy(const struct config_file *f)
{
	int fd = open(f->copy,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) != 0) {
		fail(f->copy);
		fd_close(&fd);
	} else if (!S_ISREG(st.st_mode)) {
		message_print("%s is not a regular file", f->copy);
		fd_close(&fd);
	}
	return fd;
}

enum config_copy
config_file_look(const struct config_file *f)
{
	enum config_copy result = COPY_BAD;
	int fd = open_copy(f);
	char *text = NULL;
	size_t len = 0;

	if (fd != -1 && (text = fd_read_all(fd, SIZE_LIMIT, &len)) == NULL)
		fail(f->copy);
	else if (fd != -1 && len == 0 && f->len > 0)
		/*
		 * Refuse an empty file, because an empty file must be a
		 * mistake. With an empty file, each setting would have its
		 * default value.
		 */
		message_print("the edited file is empty");
	else if (fd != -1)
		result = len == f->len && memcmp(text, f->text, len) == 0
				 ? COPY_SAME
				 : COPY_CHANGED;
	free(text);
	fd_close(&fd);
	return result;
}

static int
put_in_place(struct config_file *f, int fd)
{
	if (!is_untouched(f)) {
		message_print("%s was changed by somebody else during the edit",
			f->path);
		return -1;
	}
	if (file_replace(f->path, f->copy, fd, f->fd) != 0)
		return -1;
	free(f->copy);
	f->copy = NULL;
	return 0;
}

int
config_file_install(struct config_file *f)
{
	int fd = open_copy(f), result = -1;

	if (fd != -1)
		result = put_in_place(f, fd);
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
