#include "action/exec.h"

#include "fd.h"
#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX 65536

/* Default environment variables of each program, besides the request id. */
static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
static char locale[] = "LC_ALL=C.UTF-8";

#define REQUEST_ID "BRIDLE_REQUEST_ID="
#define REQUEST_ID_SIZE 64

static void __attribute__((noreturn)) execute(char *const *argv, const char *id)
{
	char request_id[REQUEST_ID_SIZE];
	char *env[] = { path, locale, request_id, NULL };

	snprintf(request_id, sizeof(request_id), REQUEST_ID "%s", id);
	close_range(3, ~0u, 0);
	umask(022);
	if (chdir("/") != 0)
		_exit(126);
	execve(argv[0], argv, env);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

void
exec_program(char *const *argv, const char *id)
{
	if (dup2(STDOUT_FILENO, STDERR_FILENO) == -1)
		_exit(126);
	execute(argv, id);
}

/*
 * Add a variable to the n variables in `env`, unless `env` already has a
 * variable of the same name. Return the new number of variables.
 */
static size_t
add_variable(char **env, size_t n, char *variable)
{
	size_t len = strcspn(variable, "=") + 1, i;

	for (i = 0; i < n; i++)
		if (strncmp(env[i], variable, len) == 0)
			return n;
	env[n] = variable;
	return n + 1;
}

/*
 * Return the environment of a command, or NULL if memory has run out. The
 * caller frees the array, but not the strings. Variables of the command replace
 * default variables.
 */
static char **
make_environment(const struct settings_command *c, char *request_id)
{
	char *none[] = { NULL }, **own = c->environment ? c->environment : none;
	char **env;
	size_t n = 0;

	while (own[n] != NULL)
		n++;
	if ((env = calloc(n + 4, sizeof(*env))) == NULL)
		return NULL;
	env[0] = request_id;
	memcpy(env + 1, own, n * sizeof(*env));
	n = add_variable(env, n + 1, path);
	add_variable(env, n, locale);
	return env;
}

static uid_t
user_of(const struct settings_command *c)
{
	return c->user != NULL ? c->uid : geteuid();
}

static gid_t
group_of(const struct settings_command *c)
{
	return c->user != NULL || c->group != NULL ? c->gid : getegid();
}

bool
exec_is_permitted(const struct settings_command *c)
{
	return geteuid() == 0 ||
	       (user_of(c) == geteuid() && group_of(c) == getegid());
}

/*
 * Set the supplementary groups of the command's user. If the name service does
 * not know the user, set only the command's group. Return 0, or -1 with errno.
 */
static int
set_groups(const struct settings_command *c)
{
	const struct passwd *pw = c->user ? getpwuid(c->uid) : NULL;
	gid_t gid = group_of(c);

	if (pw != NULL)
		return initgroups(pw->pw_name, gid);
	return setgroups(1, &gid);
}

static int
become(const struct settings_command *c)
{
	uid_t uid = user_of(c);
	gid_t gid = group_of(c);

	if (geteuid() != 0 || (c->user == NULL && c->group == NULL))
		return 0;
	if (set_groups(c) != 0 || setresgid(gid, gid, gid) != 0)
		return -1;
	return setresuid(uid, uid, uid);
}

void
exec_command(const struct settings_command *c, char *const *argv,
	const char *id, const char **what)
{
	char request_id[REQUEST_ID_SIZE], **env;

	snprintf(request_id, sizeof(request_id), REQUEST_ID "%s", id);
	*what = "cannot make the environment of";
	if ((env = make_environment(c, request_id)) == NULL)
		return;
	*what = "cannot lower the priority of";
	errno = 0;
	if (c->nice > 0 && nice((int)c->nice) == -1 && errno != 0)
		return;
	*what = "cannot change to the user of";
	if (become(c) != 0)
		return;
	*what = "cannot go to the working directory of";
	if (chdir(c->directory != NULL ? c->directory : "/") != 0)
		return;
	umask(022);
	/*
	 * Close the other descriptors only when execve(2) succeeds, because the
	 * caller continues after a failure.
	 */
	close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
	*what = "cannot run";
	execve(argv[0], argv, env);
}

static int
wait_end(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	return status;
}

int
exec_run(char *const *argv, const char *id)
{
	pid_t caller = getpid(), pid = fork();

	if (pid == 0) {
		sandbox_die_with(caller);
		exec_program(argv, id);
	}
	return pid == -1 ? -1 : wait_end(pid);
}

/*
 * Execute the program. Discard its standard error, and send its standard output
 * to the descriptor `out`.
 */
static void __attribute__((noreturn))
run_child(char *const *argv, const char *id, int out)
{
	if (sandbox_silence(STDERR_FILENO, STDERR_FILENO) != 0 ||
		dup2(out, STDOUT_FILENO) == -1)
		_exit(126);
	execute(argv, id);
}

int
exec_read(char *const *argv, const char *id, struct buf *out)
{
	pid_t caller = getpid(), pid;
	int pipes[2], status;
	char *text;
	size_t len;

	if (pipe2(pipes, O_CLOEXEC) != 0)
		return -1;
	if ((pid = fork()) == 0) {
		sandbox_die_with(caller);
		run_child(argv, id, pipes[1]);
	}
	fd_close(&pipes[1]);
	text = pid == -1 ? NULL : fd_read_all(pipes[0], OUTPUT_MAX, &len);
	fd_close(&pipes[0]);
	status = pid == -1 ? -1 : wait_end(pid);
	if (text != NULL)
		buf_add(out, text, len);
	free(text);
	return text != NULL && status == 0 ? 0 : -1;
}
