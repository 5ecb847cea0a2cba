/*
 * The action of a `say` request with wall=. It executes the program of the
 * setting `wall`, which writes the text to all terminals.
 */
#include "action/action.h"

#include "action/exec.h"
#include "fd.h"
#include "wire.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * True if the program is wall(1) and could not write to any terminal. wall(1)
 * itself does not report this error. Terminals belong to the group tty. wall(1)
 * gets this group by its set-group-ID bit, or inherits the group from this
 * process.
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
action_say(const struct action_context *c)
{
	struct buf text = { 0 };
	int pipes[2];

	if (reaches_nobody(c->argv[0])) {
		snprintf(c->report->text, sizeof(c->report->text),
			"subscribers received the text, but %s may not write "
			"to terminals: see wall in bridled.conf(5)",
			c->argv[0]);
		c->report->code = CODE_FAILED;
		return ACTION_FOUND;
	}
	/*
	 * Pass the text on standard input, because wall(1) may take an argument
	 * for a file name.
	 */
	buf_addf(&text, "%s: %s\n", c->client->name,
		c->request->strings[REQUEST_TEXT]);
	if (text.failed || pipe2(pipes, O_CLOEXEC) != 0 ||
		fd_write_all(pipes[1], text.data, text.len) != 0 ||
		dup2(pipes[0], STDIN_FILENO) == -1)
		return ACTION_FAILED;
	buf_free(&text);
	exec_program(c->argv, c->id);
}
