#include "pool/fork_client.h"

#include "config.h"

#include "clock.h"
#include "fd.h"
#include "fork_server.h"
#include "install_path.h"
#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS 5000 /* maximum milliseconds to wait for the hello message */

/*
 * Execute the program of the fork server in this new child. If that fails, send
 * the reason in a hello message. The program inherits standard error, because
 * the dynamic loader prints errors there.
 */
static void __attribute__((noreturn))
become(const struct fork_client *f, int control, const char *host_key)
{
	char *argv[] = { (char[]){ FORK_SERVER_TITLE },
		(char *)(uintptr_t)host_key, NULL };
	char *environment[] = { NULL };
	struct fork_hello hello = { .version = PACKAGE_VERSION };
	int program = f->program;

	sandbox_child(SANDBOX_EXEC);
	if (f->mute)
		sandbox_silence(STDOUT_FILENO, STDERR_FILENO);
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

/*
 * Open the file of the program once, and keep the descriptor for later starts.
 * A later upgrade may install another version at the same path while this
 * daemon runs. Return 0, or -1 with the reason appended to `why`.
 */
static int
open_program(struct fork_client *f, struct buf *why)
{
	char path[PATH_MAX];

	if (f->program != -1)
		return 0;
	if (install_path(path, f->name, SESSIONDIR, why) != 0)
		return -1;
	f->program = open(path, O_PATH | O_CLOEXEC);
	if (f->program != -1)
		return 0;
	buf_addf(why, "%s: %s", path, strerror(errno));
	return -1;
}

int
fork_client_start(struct fork_client *f, const char *host_key, struct buf *why)
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
fork_client_hello(struct fork_client *f, struct buf *why)
{
	struct fork_hello hello;
	ssize_t n =
		fd_recv(f->control, &hello, sizeof(hello), MSG_DONTWAIT, NULL);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n != sizeof(hello)) {
		buf_addf(why, "%s ended before it was ready", f->name);
	} else if (memchr(hello.problem, '\0', sizeof(hello.problem)) == NULL ||
		   strncmp(hello.version, PACKAGE_VERSION,
			   sizeof(hello.version)) != 0) {
		buf_addf(why,
			"%s is of another version than bridled: install both "
			"from the same release",
			f->name);
	} else if (*hello.problem != '\0') {
		buf_adds(why, hello.problem);
	} else {
		return 1;
	}
	return -1;
}

int
fork_client_await(struct fork_client *f, struct buf *why)
{
	int64_t deadline = clock_ms() + START_MS;
	int n = 0;

	while (n == 0 && fd_wait(f->control, POLLIN, deadline) == 0)
		n = fork_client_hello(f, why);
	if (n == 1)
		return 0;
	if (n == 0)
		buf_addf(why, "%s did not become ready: %s", f->name,
			strerror(errno));
	fork_client_end(f);
	return -1;
}

void
fork_client_release(struct fork_client *f)
{
	fd_close(&f->control);
}

void
fork_client_end(struct fork_client *f)
{
	fork_client_release(f);
	if (f->pid == 0)
		return;
	kill(f->pid, SIGKILL);
	while (waitpid(f->pid, NULL, 0) == -1 && errno == EINTR)
		;
	f->pid = 0;
}
