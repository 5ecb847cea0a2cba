#include "confine.h"

#include "filter.h"
#include "fork_server.h"
#include "heap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Those that a session has are few, and none may reach the control channel. */
#define DESCRIPTORS_MAX 15

_Static_assert(FORK_SERVER_CONTROL >= DESCRIPTORS_MAX, "it is out of reach");

static bool limited; /* RLIMIT_NPROC keeps sessions from forking */

int
confine_begin(void)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGPIPE, SIGTERM };
	struct sigaction sa = { .sa_handler = SIG_IGN };
	static const struct rlimit none;
	sigset_t nothing;
	size_t i;

	/* A terminal's ^C, a shutdown's SIGTERM: the parent says when to go. */
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		sigaction(ignored[i], &sa, NULL);
	sigemptyset(&nothing);
	sigprocmask(SIG_SETMASK, &nothing, NULL);
	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return -1;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/*
 * Where there are no files, if we may go there: an empty folder that has been
 * removed, so that nobody can put anything into it. It stands behind the
 * filter, so that a session without it serves too.
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

/* Of root, too; the ambient set goes with the inheritable one. */
static int
drop_capabilities(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3,
		0 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = { { 0, 0,
		0 } };

	return (int)syscall(SYS_capset, &head, sets);
}

/*
 * Each says a part of what the filter says too: should a kernel's filter have
 * a hole, then it is a small one.
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
 * Whether RLIMIT_NPROC will keep sessions from forking: not root, nor one who
 * is that outside of his user namespace, nor who has a capability that we do
 * not know of. So it is tried.
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
confine_server(const char **what)
{
	static const struct rlimit none;
	int inert;

	/* Also such as whoever started the daemon has left open. */
	*what = "close descriptors";
	if (close_range(STDERR_FILENO + 1, FORK_SERVER_CONTROL - 1, 0) != 0 ||
		close_range(FORK_SERVER_CONTROL + 1, ~0u, 0) != 0)
		return -1;
	*what = "open /dev/null";
	if ((inert = open("/dev/null", O_PATH | O_CLOEXEC)) == -1)
		return -1;
	*what = "leave the files";
	if (!leave_files())
		return -1;
	*what = "give up capabilities";
	if (drop_capabilities() != 0)
		return -1;
	*what = "limit itself";
	if (set_limits() != 0)
		return -1;
	/* It ends with the daemon also where somebody has stopped it. */
	*what = "be ended with the daemon";
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return -1;
	limited = fork_limited();
	if (!limited && setrlimit(RLIMIT_NPROC, &none) != 0)
		return -1;
	*what = "make the sessions' system-call filter (seccomp(2))";
	if (filter_build(limited) != 0)
		return -1;
	heap_seal();
	/* This is to be the lowest that is free, for the next's channel. */
	close(FILTER_CHANNEL);
	*what = "install the system-call filter";
	return filter_install(inert);
}

void
confine_session(void)
{
	static const struct rlimit none;

	/* The limit costs a tenth of what another filter does. */
	if ((limited ? prlimit(0, RLIMIT_NPROC, &none, NULL)
		     : filter_forbid_fork()) != 0)
		_exit(71);
}
