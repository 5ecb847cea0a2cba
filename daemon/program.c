#include "program.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX 65536

static void __attribute__((noreturn)) execute(char *const *argv, const char *id)
{
	char request_id[64];
	char *env[] = { (char[]){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin" },
		(char[]){ "LC_ALL=C.UTF-8" }, request_id, NULL };

	snprintf(request_id, sizeof(request_id), "BRIDLE_REQUEST_ID=%s", id);
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
