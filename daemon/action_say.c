/*
 * say: what goes to terminals, by the machine's own program for that.
 */
#include "actions.h"

#include "fd.h"
#include "program.h"
#include "wire.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Terminals belong to the group tty, which wall(1) may get by its mode. Where
 * it has it neither so nor from us, it writes to nobody, and does not say so.
 */
static bool
reaches_nobody(const char *program)
{
	struct group *tty;
	struct stat st;

	if (strcmp(basename(program), "wall") != 0 || geteuid() == 0 ||
		(tty = getgrnam("tty")) == NULL || group_member(tty->gr_gid))
		return false;
	return stat(program, &st) == 0 &&
	       (!(st.st_mode & S_ISGID) || st.st_gid != tty->gr_gid ||
		       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

int
action_say(const struct action_context *c, char *const *argv)
{
	struct buf text = { 0 };
	int pipes[2];

	if (reaches_nobody(argv[0])) {
		snprintf(c->report->text, sizeof(c->report->text),
			"those who watch were told, but %s may not write to "
			"terminals: see wall in bridled.conf(5)",
			argv[0]);
		c->report->code = CODE_FAILED;
		return ACTION_FOUND;
	}
	/* As its input: an argument might be taken for the name of a file. */
	buf_addf(&text, "%s: %s\n", c->client->name,
		c->request->strings[REQUEST_TEXT]);
	if (text.failed || pipe2(pipes, O_CLOEXEC) != 0 ||
		fd_write_all(pipes[1], text.data, text.len) != 0 ||
		dup2(pipes[0], STDIN_FILENO) == -1)
		return ACTION_FAILED;
	buf_free(&text);
	program_become(argv, c->id);
}
