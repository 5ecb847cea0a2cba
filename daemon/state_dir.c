#include "state_dir.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
state_dir_make(
	const struct settings *s, uid_t uid, gid_t gid, struct buf *errors)
{
	const char *dir = s->state_dir;

	if (mkdir(dir, 0700) != 0) {
		if (errno == EEXIST)
			return 0;
	} else if (lchown(dir, uid, gid) == 0) {
		return 0;
	}
	buf_addf(errors, "%s: %s (state_dir, for the host key)\n", dir,
		strerror(errno));
	return -1;
}
