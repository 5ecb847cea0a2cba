#include "config/run_bridled.h"

#include "fd.h"
#include "util/message.h"
#include "util/write_out.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 8
#define OUTPUT_MAX (16 * 1024 * 1024)

/*
 * Execute bridled. A bridled in the folder of this program, or in ../sbin,
 * comes before a bridled in PATH. Return only after an error, with errno.
 */
static void
execute(char *const *argv)
{
	static const char *const beside[] = { "/../sbin/bridled", "/bridled",
		NULL };
	char *self = realpath("/proc/self/exe", NULL);
	const char *folder = self != NULL ? dirname(self) : NULL;
	struct buf path = { 0 };
	size_t i;

	for (i = 0; folder != NULL && beside[i] != NULL; i++) {
		buf_reset(&path);
		buf_addf(&path, "%s%s", folder, beside[i]);
		execv(buf_str(&path), argv);
	}
	buf_free(&path);
	free(self);
	execvp("bridled", argv);
	/*
	 * Try /usr/sbin too, because the PATH of an ordinary user can lack
	 * /usr/sbin.
	 */
	if (errno == ENOENT)
		execv("/usr/sbin/bridled", argv);
}

void
run_bridled_exec(const char *const *args)
{
	static char name[] = "bridled";
	char *argv[ARGS_MAX + 2] = { name };
	size_t n;

	/*
	 * exec(3p) promises not to change the arguments, so the cast is safe.
	 */
	for (n = 0; n < ARGS_MAX && args[n] != NULL; n++)
		argv[n + 1] = (char *)(uintptr_t)args[n];
	execute(argv);
	message_print("cannot run bridled: %s%s", strerror(errno),
		errno == ENOENT ? ": is it installed on this machine?" : "");
}

/* The user that runs bridled; NULL: the user of this program. */
struct runner {
	uid_t uid;
	gid_t gid;
};

static void __attribute__((noreturn))
run_child(const struct runner *as, const char *const *args, int out, int err)
{
	if (as != NULL && (setgroups(0, NULL) != 0 || setgid(as->gid) != 0 ||
				  setuid(as->uid) != 0)) {
		message_print(
			"cannot become uid %u: %s", as->uid, strerror(errno));
		_exit(127);
	}
	if (out != -1)
		dup2(out, STDOUT_FILENO);
	if (err != -1)
		dup2(err, STDERR_FILENO);
	run_bridled_exec(args);
	_exit(127);
}

static int
await(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			return RUN_BRIDLED_FAILED;
	if (WIFSIGNALED(status))
		message_print(
			"bridled was ended by signal %d", WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) != 127
		       ? WEXITSTATUS(status)
		       : RUN_BRIDLED_FAILED;
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

static int
run(const struct runner *as, const char *const *args, struct buf *out,
	struct buf *err)
{
	int status = RUN_BRIDLED_FAILED;
	/*
	 * Collect the output in files in memory. With a pipe, bridled could
	 * block until this program reads.
	 */
	int to_out = out ? memfd_create("out", MFD_CLOEXEC) : -1;
	int to_err = err ? memfd_create("err", MFD_CLOEXEC) : -1;
	pid_t pid = -1;

	if ((out == NULL || to_out != -1) && (err == NULL || to_err != -1))
		pid = fork();
	if (pid == 0)
		run_child(as, args, to_out, to_err);
	if (pid == -1)
		message_print("cannot run bridled: %s", strerror(errno));
	else
		status = await(pid);
	if (pid != -1 &&
		(collect(&to_out, out) != 0 || collect(&to_err, err) != 0))
		message_print("cannot read the output of bridled: %s",
			strerror(errno));
	if (status == RUN_BRIDLED_FAILED && err != NULL)
		write_out(STDERR_FILENO, buf_str(err), err->len);
	fd_close(&to_err);
	fd_close(&to_out);
	return status;
}

int
run_bridled(const char *const *args, struct buf *out, struct buf *err)
{
	return run(NULL, args, out, err);
}

int
run_bridled_as(uid_t uid, gid_t gid, const char *const *args, struct buf *out,
	struct buf *err)
{
	struct runner as = { uid, gid };

	return run(&as, args, out, err);
}

int
run_bridled_with(const char *file, const char *const *args, struct buf *out,
	struct buf *err)
{
	struct stat st;

	if (geteuid() != 0 || stat(file, &st) != 0 || st.st_uid == 0)
		return run_bridled(args, out, err);
	return run_bridled_as(st.st_uid, st.st_gid, args, out, err);
}

bool
config_effective(const char *file, const char *state_dir, struct buf *text,
	struct buf *why)
{
	const char *args[] = { "--effective", file,
		state_dir != NULL ? "--state-dir" : NULL, state_dir, NULL };

	return run_bridled(args, text, why) == 0;
}

static const char *
next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line == '\n' ? line + 1 : line;
}

const char *
config_effective_settings(const char *text)
{
	while (*text == '#' || *text == '\n')
		text = next_line(text);
	return text;
}

void
config_effective_state_dir(const char *text, struct buf *dir)
{
	static const char word[] = "# state_dir: ";

	for (; *text == '#'; text = next_line(text))
		if (strncmp(text, word, sizeof(word) - 1) == 0) {
			text += sizeof(word) - 1;
			buf_add(dir, text, strcspn(text, "\n"));
			return;
		}
}
