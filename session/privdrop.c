#include "privdrop.h"

#include "filter.h"
#include "fork_server.h"
#include "heap.h"
#include "privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The limit of the number of descriptors. The limit is enough for a session,
 * and no descriptor of a session can have the number FORK_SERVER_CONTROL.
 */
#define DESCRIPTORS_MAX 15

_Static_assert(FORK_SERVER_CONTROL >= DESCRIPTORS_MAX,
	"no descriptor of a session has its number");

static bool limited; /* true if RLIMIT_NPROC keeps sessions from forking */

int
privdrop_begin(void)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGPIPE, SIGTERM };
	struct sigaction sa = { .sa_handler = SIG_IGN };
	sigset_t nothing;
	size_t i;

	/*
	 * Ignore SIGINT from a terminal and SIGTERM from a shutdown, because
	 * the parent decides when this process stops.
	 */
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		sigaction(ignored[i], &sa, NULL);
	sigemptyset(&nothing);
	sigprocmask(SIG_SETMASK, &nothing, NULL);
	return privileges_forbid_tracing();
}

/*
 * As root, change the root directory to an empty directory that is already
 * removed. Nobody can create a file there. Ignore failures before the change of
 * the root directory, because the system-call filter forbids access to files
 * too. Return false if the change fails with an error other than EPERM.
 */
static bool
leave_files(void)
{
	char path[] = RUNDIR "/bridled-XXXXXX";
	bool left;
	int fd;

	if (geteuid() != 0 || mkdtemp(path) == NULL)
		return true;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rmdir(path);
	if (fd == -1)
		return true;
	left = fchdir(fd) == 0 && (chroot(".") == 0 || errno == EPERM);
	close(fd);
	return left;
}

/*
 * Forbid writes to files, and limit the number of descriptors. The system-call
 * filter forbids the same actions. These limits help if the filter has a bug.
 * Return 0, or -1 with errno.
 */
static int
set_limits(void)
{
	static const struct rlimit none,
		few = { DESCRIPTORS_MAX, DESCRIPTORS_MAX };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		setrlimit(RLIMIT_FSIZE, &none) != 0)
		return -1;
	return setrlimit(RLIMIT_NOFILE, &few);
}

/*
 * True if RLIMIT_NPROC keeps sessions from forking. The kernel ignores this
 * limit for root, even inside a user namespace, and for a process with some
 * capabilities. Only an attempt to fork is a certain test.
 */
static bool
fork_limited(void)
{
	struct rlimit limit, none;
	pid_t pid;
	int why;

	if (getrlimit(RLIMIT_NPROC, &limit) != 0)
		return false;
	none = (struct rlimit){ 0, limit.rlim_max };
	if (setrlimit(RLIMIT_NPROC, &none) != 0)
		return false;
	if ((pid = fork()) == 0)
		_exit(0);
	why = errno;
	if (pid != -1)
		waitpid(pid, NULL, 0);
	return setrlimit(RLIMIT_NPROC, &limit) == 0 && pid == -1 &&
	       why == EAGAIN;
}

int
privdrop_server(size_t memory, const char **what)
{
	static const struct rlimit none;
	int inert;

	/*
	 * Close all other descriptors. Some can be unknown, because the daemon
	 * has inherited them from its own parent.
	 */
	*what = "close descriptors";
	if (close_range(STDERR_FILENO + 1, FORK_SERVER_CONTROL - 1, 0) != 0 ||
		close_range(FORK_SERVER_CONTROL + 1, ~0u, 0) != 0)
		return -1;
	*what = "open /dev/null";
	if ((inert = open("/dev/null", O_PATH | O_CLOEXEC)) == -1)
		return -1;
	*what = "change the root directory";
	if (!leave_files())
		return -1;
	*what = "drop capabilities";
	if (privileges_keep(0) != 0)
		return -1;
	*what = "set resource limits";
	if (set_limits() != 0)
		return -1;
	/*
	 * If the daemon ends, this process must end too, even if SIGSTOP has
	 * stopped this process.
	 */
	*what = "set the parent-death signal";
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return -1;
	limited = fork_limited();
	if (!limited && setrlimit(RLIMIT_NPROC, &none) != 0)
		return -1;
	*what = "build the system-call filter (seccomp(2))";
	if (filter_build(limited) != 0)
		return -1;
	heap_seal();
	/*
	 * Close the descriptor with the lowest number, so that the channel of
	 * each session gets this number.
	 */
	close(FILTER_CHANNEL);
	*what = "install the system-call filter";
	return filter_install(inert, memory);
}

void
privdrop_session(void)
{
	static const struct rlimit none;

	/*
	 * Set the parent-death signal again, because a child does not inherit
	 * it.
	 */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		_exit(71);
	/* Prefer the limit, because a second filter takes ten times as long. */
	if ((limited ? prlimit(0, RLIMIT_NPROC, &none, NULL)
		     : filter_forbid_fork()) != 0)
		_exit(71);
}
