#include "util/program.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX (4 * 1024 * 1024)
#define POLL_MS 10

static void __attribute__((noreturn))
run_child(const char *const *argv, int out, int err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/*
	 * Use /dev/null as the standard input, because the other program must
	 * not read from the terminal.
	 */
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err != -1 ? err : null, STDERR_FILENO);
	/*
	 * exec(3p) promises not to change the arguments, so the cast is safe.
	 */
	execvp(argv[0], (char **)(uintptr_t)argv);
	_exit(127);
}

int
program_await(pid_t pid, int64_t deadline)
{
	pid_t ended;
	int status;

	while ((ended = waitpid(pid, &status, WNOHANG)) != pid) {
		if (ended == -1 && errno != EINTR)
			return PROGRAM_FAILED;
		if (clock_left(deadline) == 0) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return PROGRAM_FAILED;
		}
		poll(NULL, 0, POLL_MS);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) != 127
		       ? WEXITSTATUS(status)
		       : PROGRAM_FAILED;
}

static void
collect(int fd, struct buf *to)
{
	size_t len;
	char *text = NULL;

	if (fd != -1 && lseek(fd, 0, SEEK_SET) == 0)
		text = fd_read_all(fd, OUTPUT_MAX, &len);
	if (text != NULL)
		buf_add(to, text, len);
	free(text);
}

int
program_run(const char *const *argv, int64_t deadline, struct buf *out,
	struct buf *err)
{
	int to_out = memfd_create("out", MFD_CLOEXEC), to_err = -1;
	int status = PROGRAM_FAILED;
	pid_t pid = -1;

	if (err == out)
		to_err = to_out;
	else if (err != NULL)
		to_err = memfd_create("err", MFD_CLOEXEC);
	if (to_out != -1 && (err == NULL || to_err != -1))
		pid = fork();
	if (pid == 0)
		run_child(argv, to_out, to_err);
	if (pid != -1) {
		status = program_await(pid, deadline);
		collect(to_out, out);
		if (err != out)
			collect(to_err, err);
	}
	if (to_err != to_out)
		fd_close(&to_err);
	fd_close(&to_out);
	return status;
}
