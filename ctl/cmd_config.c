#include "buf.h"
#include "command.h"
#include "invocation.h"
#include "notice.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Appends the folder that bridlectl itself lies in; -1 if it is not known. */
static int
add_own_folder(struct buf *out)
{
	char path[PATH_MAX], *slash;
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len <= 0)
		return -1;
	path[len] = '\0';
	if ((slash = strrchr(path, '/')) == NULL)
		return -1;
	buf_add(out, path, (size_t)(slash - path));
	return 0;
}

/*
 * Becomes bridled, the one that was installed (or built) with this program
 * if there is such a one. Returns only if there is none, with errno.
 */
static void
become_daemon(char *const *argv)
{
	static const char *const beside[] = { "/../sbin/bridled", "/bridled",
		NULL };
	struct buf path = { 0 };
	size_t i;

	for (i = 0; beside[i] != NULL; i++) {
		buf_reset(&path);
		if (add_own_folder(&path) != 0)
			break;
		buf_adds(&path, beside[i]);
		execv(buf_str(&path), argv);
	}
	buf_free(&path);
	execvp("bridled", argv);
	/* An ordinary user's PATH lacks it. */
	if (errno == ENOENT)
		execv("/usr/sbin/bridled", argv);
}

enum outcome
cmd_config(struct invocation *inv)
{
	char name[] = "bridled", check[] = "--check", show[] = "--show";
	char *argv[] = { name, NULL, inv->nargs > 1 ? inv->args[1] : NULL,
		NULL };

	if (strcmp(inv->args[0], "check") == 0) {
		argv[1] = check;
	} else if (strcmp(inv->args[0], "show") == 0) {
		argv[1] = show;
	} else {
		notice("config does not know '%s': it is 'config check' or "
		       "'config show'",
			inv->args[0]);
		return OUTCOME_USAGE;
	}
	become_daemon(argv);
	notice("cannot run bridled: %s%s", strerror(errno),
		errno == ENOENT ? ": is it installed on this machine?" : "");
	return OUTCOME_UNREACHED;
}
