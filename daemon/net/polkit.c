#include "net/polkit.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * True if the folder belongs to this process's user, and this user is not root.
 * Root needs no polkit rule.
 */
static bool
is_ours(const char *folder)
{
	struct stat st;

	return geteuid() != 0 && lstat(folder, &st) == 0 &&
	       S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

int
polkit_tell(const struct settings *s)
{
	int fd;

	if (!is_ours(RUNDIR "/bridle"))
		return 0;
	if (!s->override_inhibitors)
		return unlink(POLKIT_OVERRIDE) == 0 || errno == ENOENT ? 0 : -1;
	fd = open(POLKIT_OVERRIDE, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		0644);
	if (fd == -1)
		return -1;
	fd_close(&fd);
	return 0;
}
