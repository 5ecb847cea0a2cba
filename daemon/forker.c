#include "forker.h"

#include "config.h"

#include "clock.h"
#include "companion.h"
#include "fd.h"
#include "fork_server.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS 5000 /* for it to serve */

/* Who waits for the end of ours must not wait for the end of its. */
static void
let_go_of_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null == -1)
		return;
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
}

/*
 * In the child. What it says of itself comes by the channel; until it serves,
 * its standard error is ours, for what the loader may have to say.
 */
static void __attribute__((noreturn))
become(const struct forker *f, int control, const char *host_key)
{
	char *argv[] = { (char[]){ FORK_SERVER_TITLE },
		(char *)(uintptr_t)host_key, NULL };
	char *environment[] = { NULL };
	struct fork_hello hello = { .version = PACKAGE_VERSION };
	int program = f->program;

	sandbox_child(SANDBOX_EXEC);
	if (f->mute)
		let_go_of_terminal();
	if (program == FORK_SERVER_CONTROL)
		program = fcntl(program, F_DUPFD_CLOEXEC, program + 1);
	if ((control == FORK_SERVER_CONTROL
			    ? fcntl(control, F_SETFD, 0)
			    : dup2(control, FORK_SERVER_CONTROL)) != -1)
		fexecve(program, argv, environment);
	snprintf(hello.problem, sizeof(hello.problem), "cannot run %s: %s",
		f->name, strerror(errno));
	fd_send(control, &hello, sizeof(hello), NULL, 0, -1);
	_exit(71);
}

/* It is kept: one of another version may be installed while we run. */
static int
open_program(struct forker *f, struct buf *why)
{
	char path[PATH_MAX];

	if (f->program != -1)
		return 0;
	companion_path(path, f->name, SESSIONDIR);
	f->program = open(path, O_PATH | O_CLOEXEC);
	if (f->program != -1)
		return 0;
	buf_addf(why, "%s: %s", path, strerror(errno));
	return -1;
}

int
forker_start(struct forker *f, const char *host_key, struct buf *why)
{
	int pair[2];

	f->started = clock_ms();
	if (open_program(f, why) != 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		goto fail;
	if ((f->pid = fork()) == 0)
		become(f, pair[0], host_key);
	fd_close(&pair[0]);
	if (f->pid != -1) {
		f->control = pair[1];
		return 0;
	}
	f->pid = 0;
	fd_close(&pair[1]);
fail:
	buf_addf(why, "cannot start %s: %s", f->name, strerror(errno));
	return -1;
}

int
forker_hello(struct forker *f, struct buf *why)
{
	struct fork_hello hello;
	ssize_t n =
		fd_recv(f->control, &hello, sizeof(hello), MSG_DONTWAIT, NULL);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n != sizeof(hello)) {
		buf_addf(why, "%s ended before it served", f->name);
	} else if (memchr(hello.problem, '\0', sizeof(hello.problem)) == NULL ||
		   strncmp(hello.version, PACKAGE_VERSION,
			   sizeof(hello.version)) != 0) {
		buf_addf(why, "%s is of another version than bridled", f->name);
	} else if (*hello.problem != '\0') {
		buf_adds(why, hello.problem);
	} else {
		f->serves = true;
		return 1;
	}
	return -1;
}

int
forker_await(struct forker *f, struct buf *why)
{
	int64_t deadline = clock_ms() + START_MS;
	int n = 0;

	while (n == 0 && fd_wait(f->control, POLLIN, deadline) == 0)
		n = forker_hello(f, why);
	if (n == 1)
		return 0;
	if (n == 0)
		buf_addf(
			why, "%s does not start: %s", f->name, strerror(errno));
	forker_end(f);
	return -1;
}

void
forker_let_go(struct forker *f)
{
	fd_close(&f->control);
	f->serves = false;
}

void
forker_end(struct forker *f)
{
	forker_let_go(f);
	if (f->pid == 0)
		return;
	kill(f->pid, SIGKILL);
	while (waitpid(f->pid, NULL, 0) == -1 && errno == EINTR)
		;
	f->pid = 0;
}
