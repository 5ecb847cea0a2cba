#include "program.h"

#include "fd.h"

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

/* What every program has that is run here. */
struct environment {
	char path[64];
	char locale[32];
	char request_id[64];
};

#define ENVIRONMENT_SIZE 3

static void
make_environment(struct environment *e, const char *id)
{
	snprintf(
		e->path, sizeof(e->path), "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	snprintf(e->locale, sizeof(e->locale), "LC_ALL=C.UTF-8");
	snprintf(e->request_id, sizeof(e->request_id), "BRIDLE_REQUEST_ID=%s",
		id);
}

static void __attribute__((noreturn)) execute(char *const *argv, const char *id)
{
	struct environment e;
	char *env[] = { e.path, e.locale, e.request_id, NULL };

	make_environment(&e, id);
	close_range(3, ~0u, 0);
	umask(022);
	if (chdir("/") != 0)
		_exit(126);
	execve(argv[0], argv, env);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

void
program_become(char *const *argv, const char *id)
{
	if (dup2(STDOUT_FILENO, STDERR_FILENO) == -1)
		_exit(126);
	execute(argv, id);
}

/* "PATH=/bin" and "PATH=/usr/bin" */
static bool
is_same_variable(const char *a, const char *b)
{
	size_t len = strcspn(a, "=") + 1;

	return strncmp(a, b, len) == 0;
}

/* The command's own come first, and take the place of what there would be. */
static char **
merge_environment(const struct settings_command *c, struct environment *e)
{
	char *fixed[ENVIRONMENT_SIZE] = { e->request_id, e->path, e->locale };
	char **env =
		calloc(c->nenvironment + ENVIRONMENT_SIZE + 1, sizeof(env[0]));
	size_t n = 0, i, j;

	if (env == NULL)
		return NULL;
	env[n++] = fixed[0];
	for (i = 0; i < c->nenvironment; i++)
		env[n++] = c->environment[i];
	for (i = 1; i < ENVIRONMENT_SIZE; i++) {
		for (j = 0; j < n && !is_same_variable(env[j], fixed[i]); j++)
			;
		if (j == n)
			env[n++] = fixed[i];
	}
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
program_may_become(const struct settings_command *c)
{
	return geteuid() == 0 ||
	       (user_of(c) == geteuid() && group_of(c) == getegid());
}

/* His other groups too, if the name service knows him. */
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
program_become_command(const struct settings_command *c, char *const *argv,
	const char *id, const char **what)
{
	struct environment e;
	char **env;

	make_environment(&e, id);
	*what = "make its environment";
	if ((env = merge_environment(c, &e)) == NULL)
		return;
	*what = "lower its priority";
	errno = 0;
	if (c->nice > 0 && nice((int)c->nice) == -1 && errno != 0)
		return;
	*what = "change to its user";
	if (become(c) != 0)
		return;
	*what = "go to its directory";
	if (chdir(c->directory != NULL ? c->directory : "/") != 0)
		return;
	umask(022);
	/* Not closed: should it fail, that has to be told. */
	close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
	*what = "run";
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
program_run(char *const *argv, const char *id)
{
	pid_t pid = fork();

	if (pid == 0)
		program_become(argv, id);
	return pid == -1 ? -1 : wait_end(pid);
}

/* What it complains of is nobody's answer. */
static void __attribute__((noreturn))
run_child(char *const *argv, const char *id, int out)
{
	int null = open("/dev/null", O_WRONLY);

	if (null == -1 || dup2(null, STDERR_FILENO) == -1 ||
		dup2(out, STDOUT_FILENO) == -1)
		_exit(126);
	execute(argv, id);
}

int
program_read(char *const *argv, const char *id, struct buf *out)
{
	int pipes[2], status;
	char *text;
	size_t len;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) != 0)
		return -1;
	if ((pid = fork()) == 0)
		run_child(argv, id, pipes[1]);
	fd_close(&pipes[1]);
	text = pid == -1 ? NULL : fd_read_all(pipes[0], OUTPUT_MAX, &len);
	fd_close(&pipes[0]);
	status = pid == -1 ? -1 : wait_end(pid);
	if (text != NULL)
		buf_add(out, text, len);
	free(text);
	return text != NULL && status == 0 ? 0 : -1;
}
