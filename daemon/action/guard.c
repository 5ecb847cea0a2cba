#include "action/guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DAEMON, ACTION, WATCHED };

/*
 * Wait until the daemon or the action ends. If the daemon ends first, kill the
 * process group of the action.
 */
static void __attribute__((noreturn)) guard(pid_t action)
{
	struct pollfd watched[WATCHED] = { { DAEMON, POLLIN, 0 },
		{ ACTION, POLLIN, 0 } };

	prctl(PR_SET_NAME, "bridled-guard");
	while (poll(watched, WATCHED, -1) == -1 && errno == EINTR)
		;
	if (watched[DAEMON].revents != 0 && watched[ACTION].revents == 0)
		kill(-action, SIGKILL);
	_exit(0);
}

/* Fork the guard and exit, so that the guard is not a child of the command. */
static void __attribute__((noreturn))
run_middle(int daemon_fd, int action_fd, pid_t action)
{
	pid_t pid;

	/*
	 * Start a new session, so that a signal to the command's process group
	 * does not reach the guard.
	 */
	if (setsid() == -1 || dup2(daemon_fd, DAEMON) == -1 ||
		dup2(action_fd, ACTION) == -1)
		_exit(1);
	close_range(WATCHED, ~0u, 0);
	if ((pid = fork()) == 0)
		guard(action);
	_exit(pid == -1);
}

int
guard_start(pid_t daemon)
{
	int daemon_fd = pidfd_open(daemon, 0);
	int action_fd = pidfd_open(getpid(), 0);
	pid_t action = getpid(), pid;
	int status = -1;

	/*
	 * Check the parent after pidfd_open(2). If the daemon is still our
	 * parent, no other process got the daemon's pid, so the pidfd belongs
	 * to the daemon.
	 */
	if (daemon_fd == -1 || action_fd == -1 || getppid() != daemon)
		return -1;
	if ((pid = fork()) == 0)
		run_middle(daemon_fd, action_fd, action);
	while (pid != -1 && waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	close(daemon_fd);
	close(action_fd);
	return pid != -1 && status == 0 ? 0 : -1;
}
