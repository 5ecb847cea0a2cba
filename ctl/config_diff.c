#include "config_diff.h"

#include "bridled.h"
#include "config_in_force.h"
#include "fd.h"
#include "notice.h"
#include "output.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* A file without a name, for a program that reads /dev/fd; -1 with errno. */
static int
make_file(const char *text)
{
	int fd = memfd_create("settings", 0);

	if (fd != -1 && fd_write_all(fd, text, strlen(text)) != 0)
		fd_close(&fd);
	return fd;
}

static void __attribute__((noreturn))
run_diff(int one, int other, const char *file)
{
	struct buf left = { 0 }, right = { 0 };

	buf_addf(&left, "/dev/fd/%d", one);
	buf_addf(&right, "/dev/fd/%d", other);
	execlp("diff", "diff", "-u", "--label", "in force", "--label", file,
		buf_str(&left), buf_str(&right), (char *)NULL);
	notice("cannot run diff: %s%s", strerror(errno),
		errno == ENOENT ? ": install diffutils" : "");
	_exit(2);
}

static enum outcome
await(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			return OUTCOME_UNREACHED;
	if (WIFEXITED(status) && WEXITSTATUS(status) < 2)
		return WEXITSTATUS(status) == 0 ? OUTCOME_DONE : OUTCOME_NO;
	return OUTCOME_UNREACHED;
}

static enum outcome
compare(const char *one, const char *other, const char *file)
{
	int left = make_file(one), right = make_file(other);
	pid_t pid = -1;

	if (left != -1 && right != -1)
		pid = fork();
	if (pid == 0)
		run_diff(left, right, file);
	if (pid == -1)
		notice("cannot compare: %s", strerror(errno));
	fd_close(&right);
	fd_close(&left);
	return pid == -1 ? OUTCOME_UNREACHED : await(pid);
}

enum outcome
config_diff(const char *file)
{
	const char *show[] = { "--show", file, NULL };
	struct buf now = { 0 }, next = { 0 }, why = { 0 };
	enum outcome outcome = OUTCOME_UNREACHED;

	if (!config_in_force(file, &now, &why)) {
		output_buf(STDERR_FILENO, &why);
		notice("there is nothing to compare %s with", file);
	} else if (bridled_run(show, &next, NULL) != 0) {
		notice("%s would not be taken by a reload", file);
	} else {
		outcome = compare(config_in_force_settings(buf_str(&now)),
			buf_str(&next), file);
	}
	buf_free(&now);
	buf_free(&next);
	buf_free(&why);
	return outcome;
}
