#include "util/child_program.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX (64 * 1024)
#define LOOK_EVERY 50 /* ms between two checks if the program has ended */
#define TERM_MS 1000  /* ms from SIGTERM to SIGKILL */

/* A running program, and the pipes that receive its output. */
struct child {
	pid_t pid;
	int in;      /* file with the input */
	int out[2];  /* pipe for standard output */
	int err[2];  /* pipe for standard error */
	int fail[2]; /* pipe for the errno of a failed exec */
};

static void
close_all(struct child *c)
{
	fd_close(&c->in);
	fd_close(&c->out[0]);
	fd_close(&c->out[1]);
	fd_close(&c->err[0]);
	fd_close(&c->err[1]);
	fd_close(&c->fail[0]);
	fd_close(&c->fail[1]);
}

/*
 * Return the descriptor of a file in memory with this content, or -1 with
 * errno. The input is not a pipe, because a write to a pipe could raise
 * SIGPIPE.
 */
static int
make_input(const struct buf *input)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd != -1 && (fd_write_all(fd, input->data, input->len) != 0 ||
				lseek(fd, 0, SEEK_SET) != 0))
		fd_close(&fd);
	return fd;
}

static void __attribute__((noreturn))
become(const struct child *c, const char *const *argv, pid_t parent)
{
	int error;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() == parent && dup2(c->in, STDIN_FILENO) != -1 &&
		dup2(c->out[1], STDOUT_FILENO) != -1 &&
		dup2(c->err[1], STDERR_FILENO) != -1) {
		/*
		 * The cast is safe, because exec(3p) does not change the
		 * arguments.
		 */
		execvp(argv[0], (char *const *)(uintptr_t)argv);
	}
	error = errno;
	if (write(c->fail[1], &error, sizeof(error)) != sizeof(error))
		_exit(126);
	_exit(127);
}

/*
 * Start the program. Return 0, or -1 with errno. Call close_all() in both
 * cases.
 */
static int
start(struct child *c, const char *const *argv, const struct buf *input)
{
	pid_t parent = getpid();
	int error = 0;
	ssize_t n;

	if ((c->in = make_input(input)) == -1 ||
		pipe2(c->out, O_CLOEXEC) != 0 ||
		pipe2(c->err, O_CLOEXEC) != 0 ||
		pipe2(c->fail, O_CLOEXEC) != 0 || fd_nonblock(c->out[0]) != 0 ||
		fd_nonblock(c->err[0]) != 0 || (c->pid = fork()) == -1)
		return -1;
	if (c->pid == 0)
		become(c, argv, parent);
	fd_close(&c->in);
	fd_close(&c->out[1]);
	fd_close(&c->err[1]);
	fd_close(&c->fail[1]);
	do
		n = read(c->fail[0], &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return 0;
	waitpid(c->pid, NULL, 0);
	errno = error;
	return -1;
}

/* Read what is available. At the end of the output, close the descriptor. */
static void
take(int *fd, struct buf *to)
{
	char bytes[4096];
	ssize_t n;
	size_t room;

	while (*fd != -1) {
		n = read(*fd, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			fd_close(fd);
			return;
		}
		room = to->len < OUTPUT_MAX ? OUTPUT_MAX - to->len : 0;
		buf_add(to, bytes, (size_t)n < room ? (size_t)n : room);
	}
}

/* Wait for output or until the time `until`, and read the output. */
static void
wait_and_take(struct child *c, int64_t until, struct buf *out, struct buf *err)
{
	struct pollfd polls[2] = { { c->out[0], POLLIN, 0 },
		{ c->err[0], POLLIN, 0 } };
	int left = clock_left(until);

	/*
	 * Wait only for a short time, because the caller must also check if the
	 * program has ended. A background process of ssh(1) can keep the pipes
	 * open after the end of the program.
	 */
	poll(polls, 2, left < LOOK_EVERY ? left : LOOK_EVERY);
	take(&c->out[0], out);
	take(&c->err[0], err);
}

/*
 * Collect the output until the program ends. Return its wait status, or -1 at
 * the deadline.
 */
static int
collect(struct child *c, int64_t deadline, struct buf *out, struct buf *err)
{
	int status;
	pid_t ended;

	for (;;) {
		ended = waitpid(c->pid, &status, WNOHANG);
		take(&c->out[0], out);
		take(&c->err[0], err);
		if (ended == c->pid)
			return status;
		if (clock_left(deadline) == 0)
			return -1;
		wait_and_take(c, deadline, out, err);
	}
}

static int
judge(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : CHILD_PROGRAM_KILLED;
}

int
child_program_run(const char *const *argv, const struct buf *input,
	int64_t deadline, struct buf *out, struct buf *err)
{
	struct child c = { -1, -1, { -1, -1 }, { -1, -1 }, { -1, -1 } };
	int status, result = CHILD_PROGRAM_LATE;

	if (start(&c, argv, input) != 0) {
		buf_addf(err, "cannot run %s: %s", argv[0], strerror(errno));
		close_all(&c);
		return CHILD_PROGRAM_MISSING;
	}
	if ((status = collect(&c, deadline, out, err)) != -1) {
		result = judge(status);
	} else {
		kill(c.pid, SIGTERM);
		if (collect(&c, clock_ms() + TERM_MS, out, err) == -1) {
			kill(c.pid, SIGKILL);
			waitpid(c.pid, NULL, 0);
		}
	}
	close_all(&c);
	return result;
}
