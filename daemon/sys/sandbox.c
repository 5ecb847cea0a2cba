#include "sys/sandbox.h"

#include "privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void
reset_signals(enum sandbox_role role)
{
	static const unsigned long kernel_default[8];
	struct sigaction sa = { .sa_handler = SIG_IGN };
	sigset_t none;
	int sig;

	/*
	 * Reset the handlers of all signals. This includes signals that the
	 * daemon inherited as ignored. Call the kernel directly, because
	 * sigaction() of glibc refuses the two signals that glibc uses. An
	 * action of all zero bytes is SIG_DFL.
	 */
	for (sig = 1; sig < NSIG; sig++)
		syscall(SYS_rt_sigaction, sig, kernel_default, NULL,
			(NSIG - 1) / 8);
	/*
	 * SIGINT after ^C at a terminal, and SIGTERM at a shutdown, reach all
	 * processes. The logger must survive these signals to write the last
	 * lines.
	 */
	if (role == SANDBOX_LOGGER) {
		sigaction(SIGINT, &sa, NULL);
		sigaction(SIGHUP, &sa, NULL);
		sigaction(SIGPIPE, &sa, NULL);
		sigaction(SIGTERM, &sa, NULL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void
sandbox_child(enum sandbox_role role)
{
	uint32_t kept = 0;

	reset_signals(role);
	if (role == SANDBOX_EXEC && geteuid() == 0) {
		/*
		 * Keep all privileges, because a daemon that runs as root also
		 * runs its commands as root.
		 */
		return;
	}
	if (role == SANDBOX_KILL &&
		capng_have_capability(CAPNG_EFFECTIVE, CAP_KILL))
		kept = 1u << CAP_KILL;
	if (privileges_keep(kept) != 0)
		_exit(71);
}

void
sandbox_die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(71);
}

int
sandbox_silence(int first, int last)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fd;

	if (null == -1)
		return -1;
	for (fd = first; fd <= last && dup2(null, fd) != -1; fd++)
		;
	close(null);
	return fd > last ? 0 : -1;
}

/*
 * Test that all ids of this process are the new ids, and that the process
 * cannot become root again. Return 0, or -1 with errno.
 */
static int
prove(uid_t uid, gid_t gid)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (getresuid(&r, &e, &s) != 0 || getresgid(&rg, &eg, &sg) != 0)
		return -1;
	if (r == uid && e == uid && s == uid && rg == gid && eg == gid &&
		sg == gid && setuid(0) == -1 && seteuid(0) == -1 &&
		setgid(0) == -1)
		return 0;
	errno = EPERM;
	return -1;
}

int
sandbox_become(uid_t uid, gid_t gid, const char *user)
{
	if (initgroups(user, gid) != 0)
		return -1;
	capng_clear(CAPNG_SELECT_BOTH);
	capng_update(CAPNG_ADD,
		CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
		CAP_KILL);
	if (capng_change_id((int)uid, (int)gid, CAPNG_NO_FLAG) != 0) {
		errno = EPERM;
		return -1;
	}
	return prove(uid, gid);
}

bool
sandbox_is_service(void)
{
	return geteuid() != 0 &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_KILL);
}

int
sandbox_parent(const char **what)
{
	/*
	 * Read the capabilities now, because each child for a `kill` action
	 * needs these capabilities.
	 */
	*what = "read this process's capabilities";
	if (capng_get_caps_process() != 0)
		return -1;
	*what = "keep this process from being dumped";
	return privileges_forbid_tracing();
}
