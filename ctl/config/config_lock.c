#include "config/config_lock.h"

#include "buf.h"
#include "fd.h"
#include "util/installed.h"
#include "util/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLAGS (O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)

/*
 * Create the lock file. If root creates the lock file, the owner of the main
 * file becomes the owner of the lock file. Return a descriptor, or -1 with
 * errno.
 */
static int
create(const char *path, const char *main)
{
	int fd = open(path, FLAGS | O_CREAT | O_EXCL, 0600);
	struct stat st;

	/*
	 * Only root can change the owner. The lock file is new, so no link
	 * leads to it.
	 */
	if (fd != -1 && geteuid() == 0 && stat(main, &st) == 0 &&
		st.st_uid != 0 && fchown(fd, st.st_uid, st.st_gid) != 0)
		fd_close(&fd);
	return fd;
}

/* Open or create the lock file. Return a descriptor, or -1 with errno. */
static int
open_file(const char *path, const char *main)
{
	int fd = open(path, FLAGS);

	if (fd == -1 && errno == ENOENT)
		fd = create(path, main);
	/*
	 * If another program has created the file at the same time, open that
	 * file.
	 */
	if (fd == -1 && errno == EEXIST)
		fd = open(path, FLAGS);
	return fd;
}

/*
 * Wait until this process has the lock of the file. Return 0, or -1 with errno.
 */
static int
wait_for(int fd)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return -1;
	message_print("waiting for another change of the configuration");
	while (flock(fd, LOCK_EX) != 0)
		if (errno != EINTR)
			return -1;
	return 0;
}

int
config_lock(const char *main)
{
	char *real = realpath(main, NULL);
	struct buf path = { 0 };
	int fd = -1;

	if (real == NULL) {
		installed_explain(main);
		return -1;
	}
	buf_addf(&path, "%s.lock", real);
	fd = open_file(buf_str(&path), real);
	if (fd == -1 || wait_for(fd) != 0) {
		message_print("%s: %s%s", path.data, strerror(errno),
			geteuid() != 0 ? INSTALLED_AS_ROOT : "");
		fd_close(&fd);
	}
	buf_free(&path);
	free(real);
	return fd;
}
