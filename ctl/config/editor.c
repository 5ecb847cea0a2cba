#include "config/editor.h"

#include "buf.h"
#include "util/message.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_FOUND 127 /* exit status of sh if the command is missing */

/*
 * The shell waits for the editor. If the user types ^C in the editor, the shell
 * must continue to wait.
 */
#define SCRIPT "trap : INT QUIT; "

static const char fallback[] = SCRIPT
	"for e in editor vi nano; do"
	" command -v \"$e\" >/dev/null && exec \"$e\" \"$@\"; done; exit 127";

/*
 * Return the name of the environment variable that sets the editor, or NULL if
 * no variable is set.
 */
static const char *
find_variable(void)
{
	static const char *const names[] = { "SUDO_EDITOR", "VISUAL", "EDITOR",
		NULL };
	const char *value;
	size_t i;

	for (i = 0; names[i] != NULL; i++)
		if ((value = getenv(names[i])) != NULL && *value != '\0')
			return names[i];
	return NULL;
}

static void __attribute__((noreturn))
run_child(const char *variable, const char *path)
{
	struct buf script = { 0 };

	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	if (variable != NULL)
		buf_addf(&script, SCRIPT "%s \"$@\"", getenv(variable));
	else
		buf_adds(&script, fallback);
	execl("/bin/sh", "sh", "-c", buf_str(&script), "editor", path,
		(char *)NULL);
	message_print("/bin/sh: %s", strerror(errno));
	_exit(NOT_FOUND);
}

static int
report_status(const char *variable, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		message_print(
			"the editor was ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) != NOT_FOUND)
		message_print("the editor failed with exit status %d",
			WEXITSTATUS(status));
	else if (variable != NULL)
		message_print("cannot find the editor that %s names: '%s'",
			variable, getenv(variable));
	else
		message_print("there is no editor: install an editor, or name "
			      "it in EDITOR");
	return -1;
}

int
editor_run(const char *path)
{
	const char *variable = find_variable();
	pid_t pid = fork();
	int status;

	if (pid == 0)
		run_child(variable, path);
	if (pid == -1) {
		message_print("cannot start the editor: %s", strerror(errno));
		return -1;
	}
	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			return -1;
	return report_status(variable, status);
}
