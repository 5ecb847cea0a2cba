#include "session_check.h"

#include "config.h"

#include "config/host_key.h"
#include "fd.h"
#include "install_path.h"
#include "service_user.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MAX 4096

static void
check_program(const char *name, struct buf *errors)
{
	char path[PATH_MAX];

	if (install_path(path, name, SESSIONDIR, errors) != 0)
		buf_addc(errors, '\n');
	else if (access(path, X_OK) != 0)
		buf_addf(errors, "%s: %s\n", path, strerror(errno));
}

/*
 * Return true if state_dir exists. Otherwise test if the daemon could create
 * the folder at its start, when the daemon still has all its rights.
 */
static bool
has_state_dir(const struct settings *s, struct buf *errors)
{
	char *path;

	if (access(s->state_dir, F_OK) == 0 || errno != ENOENT)
		return true;
	if ((path = strdup(s->state_dir)) == NULL ||
		access(dirname(path), W_OK | X_OK) != 0)
		buf_addf(errors, "%s: %s (state_dir, for the host key)\n",
			s->state_dir, strerror(errno));
	free(path);
	return false;
}

/*
 * Test the host key in the child of check_as_user(), and write a line with the
 * error to `out`. If there is no error, write nothing.
 */
static void __attribute__((noreturn))
run_child(const struct settings *s, const struct account *user, int out)
{
	struct buf errors = { 0 };

	/*
	 * Ignore a failure here, because the start of the daemon reports the
	 * error.
	 */
	if (service_user_become(s, user) == 0)
		host_key_test(s, &errors);
	_exit(fd_write_all(out, buf_str(&errors), errors.len) != 0);
}

/* Test the host key with the rights of the daemon's user. */
static void
check_as_user(const struct settings *s, const struct account *user,
	struct buf *errors)
{
	int pipes[2];
	char *text;
	size_t len;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) != 0)
		return;
	if ((pid = fork()) == 0)
		run_child(s, user, pipes[1]);
	fd_close(&pipes[1]);
	text = pid != -1 ? fd_read_all(pipes[0], ANSWER_MAX, &len) : NULL;
	fd_close(&pipes[0]);
	if (text != NULL)
		buf_add(errors, text, len);
	free(text);
	while (pid != -1 && waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
}

void
session_check(const struct settings *s, const struct account *user,
	struct buf *errors)
{
	check_program("bridled-session", errors);
	if (!settings_has_tls(s))
		return;
	check_program("bridled-session-tls", errors);
	if (has_state_dir(s, errors))
		check_as_user(s, user, errors);
}
