#include "bridled.h"

#include "fd.h"
#include "notice.h"
#include "output.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 8
#define OUTPUT_MAX (16 * 1024 * 1024)

/* Appends the folder that bridlectl itself lies in; -1 if it is not known. */
static int
add_own_folder(struct buf *out)
{
	char path[PATH_MAX], *slash;
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len <= 0)
		return -1;
	path[len] = '\0';
	if ((slash = strrchr(path, '/')) == NULL)
		return -1;
	buf_add(out, path, (size_t)(slash - path));
	return 0;
}

/* Returns only if there is none, with errno. */
static void
execute(char *const *argv)
{
	static const char *const beside[] = { "/../sbin/bridled", "/bridled",
		NULL };
	struct buf path = { 0 };
	size_t i;

	for (i = 0; beside[i] != NULL; i++) {
		buf_reset(&path);
		if (add_own_folder(&path) != 0)
			break;
		buf_adds(&path, beside[i]);
		execv(buf_str(&path), argv);
	}
	buf_free(&path);
	execvp("bridled", argv);
	/* An ordinary user's PATH lacks it. */
	if (errno == ENOENT)
		execv("/usr/sbin/bridled", argv);
}

void
bridled_become(const char *const *args)
{
	static char name[] = "bridled";
	char *argv[ARGS_MAX + 2] = { name };
	size_t n;

	/* exec(3p) says itself that it does not change them. */
	for (n = 0; n < ARGS_MAX && args[n] != NULL; n++)
		argv[n + 1] = (char *)(uintptr_t)args[n];
	execute(argv);
	notice("cannot run bridled: %s%s", strerror(errno),
		errno == ENOENT ? ": is it installed on this machine?" : "");
}

static void __attribute__((noreturn))
run_child(const char *const *args, int out, int err)
{
	if (out != -1)
		dup2(out, STDOUT_FILENO);
	if (err != -1)
		dup2(err, STDERR_FILENO);
	bridled_become(args);
	_exit(127);
}

static int
await(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			return BRIDLED_FAILED;
	if (WIFSIGNALED(status))
		notice("bridled was ended by signal %d", WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) != 127
		       ? WEXITSTATUS(status)
		       : BRIDLED_FAILED;
}

static int
collect(int *fd, struct buf *to)
{
	char *text;
	size_t len;

	if (*fd == -1)
		return 0;
	if (lseek(*fd, 0, SEEK_SET) != 0 ||
		(text = fd_read_all(*fd, OUTPUT_MAX, &len)) == NULL)
		return -1;
	buf_add(to, text, len);
	free(text);
	return 0;
}

int
bridled_run(const char *const *args, struct buf *out, struct buf *err)
{
	int status = BRIDLED_FAILED;
	/* In memory: whatever their size, nobody has to read on meanwhile. */
	int to_out = out ? memfd_create("out", MFD_CLOEXEC) : -1;
	int to_err = err ? memfd_create("err", MFD_CLOEXEC) : -1;
	pid_t pid = -1;

	if ((out == NULL || to_out != -1) && (err == NULL || to_err != -1))
		pid = fork();
	if (pid == 0)
		run_child(args, to_out, to_err);
	if (pid == -1)
		notice("cannot run bridled: %s", strerror(errno));
	else
		status = await(pid);
	if (pid != -1 &&
		(collect(&to_out, out) != 0 || collect(&to_err, err) != 0))
		notice("cannot read what bridled says: %s", strerror(errno));
	if (status == BRIDLED_FAILED && err != NULL)
		output_write(STDERR_FILENO, buf_str(err), err->len);
	fd_close(&to_err);
	fd_close(&to_out);
	return status;
}
