#include "sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Signals that the parent has handlers or a mask for. */
static const int handled[] = { SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGPIPE };

static void
reset_signals(enum sandbox_role role)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;
	size_t i;

	for (i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		sigaction(handled[i], &sa, NULL);
	/*
	 * A terminal's ^C, a shutdown's SIGTERM go to all of them, but the
	 * logger stays for the last lines.
	 */
	if (role == SANDBOX_LOGGER) {
		sa.sa_handler = SIG_IGN;
		sigaction(SIGINT, &sa, NULL);
		sigaction(SIGHUP, &sa, NULL);
		sigaction(SIGPIPE, &sa, NULL);
		sigaction(SIGTERM, &sa, NULL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * The ambient set goes with the inheritable one (capabilities(7)): CAP_KILL
 * would survive an exec otherwise.
 */
static int
drop_capabilities(enum sandbox_role role)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3,
		0 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = { { 0, 0,
		0 } };

	if (role == SANDBOX_KILL &&
		capng_have_capability(CAPNG_EFFECTIVE, CAP_KILL)) {
		sets[0].effective = 1u << CAP_KILL;
		sets[0].permitted = 1u << CAP_KILL;
	}
	return (int)syscall(SYS_capset, &head, sets);
}

void
sandbox_child(enum sandbox_role role)
{
	reset_signals(role);
	if (role == SANDBOX_EXEC && geteuid() == 0) {
		/*
		 * The daemon of a root that wants to stay root: what it runs
		 * is root too, as exec gives it.
		 */
		return;
	}
	if (drop_capabilities(role) != 0)
		_exit(71);
}

/* Nothing may lead back to root. */
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
	static const struct rlimit none;

	/* What the kill action may have: asked once, here. */
	*what = "read this process's capabilities";
	if (capng_get_caps_process() != 0)
		return -1;
	*what = "keep this process from being dumped";
	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return -1;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
