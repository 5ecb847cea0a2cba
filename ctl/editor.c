#include "editor.h"

#include "buf.h"
#include "notice.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_FOUND 127 /* sh's own */

/* An interrupt of the editor's must not end the shell that waits for it. */
#define SCRIPT "trap : INT QUIT; "

static const char fallback[] = SCRIPT
	"for e in editor vi nano; do"
	" command -v \"$e\" >/dev/null && exec \"$e\" \"$@\"; done; exit 127";

/* The variable that tells, NULL if none does. */
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
	notice("/bin/sh: %s", strerror(errno));
	_exit(NOT_FOUND);
}

static int
tell(const char *variable, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		notice("the editor was ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) != NOT_FOUND)
		notice("the editor failed with exit status %d",
			WEXITSTATUS(status));
	else if (variable != NULL)
		notice("the editor that %s names, '%s', is not there", variable,
			getenv(variable));
	else
		notice("there is no editor: install one, or name it in EDITOR");
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
		notice("cannot start the editor: %s", strerror(errno));
		return -1;
	}
	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			return -1;
	return tell(variable, status);
}
