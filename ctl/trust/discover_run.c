#include "trust/discover_run.h"

#include "buf.h"
#include "fd.h"
#include "install_path.h"
#include "util/message.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define PROGRAM "bridle-discover"
#define OUTPUT_MAX (4 * 1024 * 1024)

/* Find the program. Return 0, or -1 after printing a message. */
static int
find_program(char path[PATH_MAX])
{
	struct buf why = { 0 };
	int result = install_path(path, PROGRAM, LIBEXECDIR, &why);

	if (result != 0) {
		message_lines(NULL, buf_str(&why));
	} else if (access(path, X_OK) != 0) {
		message_print("install the package " PROGRAM
			      ", or build Bridle where libavahi-client is "
			      "installed (%s: %s)",
			path, strerror(errno));
		result = -1;
	}
	buf_free(&why);
	return result;
}

static void __attribute__((noreturn))
run_child(const char *path, unsigned seconds, int out)
{
	char number[12];

	snprintf(number, sizeof(number), "%u", seconds);
	if (dup2(out, STDOUT_FILENO) != -1)
		execl(path, PROGRAM, number, (char *)NULL);
	message_print("cannot run %s: %s", path, strerror(errno));
	_exit(EX_OSERR);
}

/* Wait for the end of the program. Return 0 if the search has succeeded. */
static int
await(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			return -1;
	if (WIFSIGNALED(status))
		message_print(PROGRAM " was ended by signal %d%s",
			WTERMSIG(status),
			WTERMSIG(status) == SIGALRM
				? ": avahi-daemon or the D-Bus daemon does not "
				  "answer"
				: "");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* Return the output of the program, or NULL after printing a message. */
static char *
collect(const char *path, unsigned seconds)
{
	int ends[2] = { -1, -1 }, result = -1;
	char *text = NULL;
	pid_t pid = -1;
	size_t len;

	if (pipe2(ends, O_CLOEXEC) == 0)
		pid = fork();
	if (pid == 0)
		run_child(path, seconds, ends[1]);
	fd_close(&ends[1]);
	if (pid == -1) {
		message_print("cannot run %s: %s", path, strerror(errno));
	} else {
		text = fd_read_all(ends[0], OUTPUT_MAX, &len);
		if (text == NULL)
			message_print("cannot read the output of " PROGRAM
				      ": %s",
				strerror(errno));
		fd_close(&ends[0]);
		result = await(pid);
	}
	fd_close(&ends[0]);
	if (result != 0) {
		free(text);
		text = NULL;
	}
	return text;
}

enum outcome
discover_run(unsigned seconds, struct discoveries *found)
{
	char path[PATH_MAX], *text = NULL;
	struct buf error = { 0 };
	enum outcome outcome = OUTCOME_UNREACHED;

	if (find_program(path) == 0)
		text = collect(path, seconds);
	if (text != NULL && discoveries_read(found, text, &error) == 0)
		outcome = OUTCOME_DONE;
	if (error.len > 0)
		message_lines(NULL, buf_str(&error));
	buf_free(&error);
	free(text);
	return outcome;
}
