#include "core/reap.h"

#include "request/handle.h"
#include "request/state.h"

#include <errno.h>
#include <sys/wait.h>

static void
end_child(struct parent *p, struct action *a, const siginfo_t *si)
{
	if (a != NULL)
		handle_action_end(p, a, si);
	else if (!sessions_reaped(p, si->si_pid, si->si_code, si->si_status) &&
		 !group_lookups_reaped(&p->group_lookups, si->si_pid) &&
		 !accounts_reaped(&p->accounts, si->si_pid) &&
		 !load_child_reaped(&p->load, si->si_pid) &&
		 !session_pools_reaped(p->pools, si->si_pid, si->si_code,
			 si->si_status, p->logger))
		logger_reaped(p->logger, si->si_pid);
}

/*
 * Reap the dead child with this pid. If the child is an action, first send the
 * last signal to its process group.
 */
static void
reap_one(struct parent *p, pid_t pid)
{
	struct action *a = actions_find(&p->actions, pid);
	siginfo_t si;

	/*
	 * Until this child is reaped, the kernel cannot give the number of its
	 * process group to other processes.
	 */
	if (a != NULL)
		action_last_signal(a);
	while (waitid(P_PID, (id_t)pid, &si, WEXITED) != 0)
		if (errno != EINTR)
			return;
	end_child(p, a, &si);
}

void
reap_children(struct parent *p)
{
	siginfo_t si;
	int wnowait;

	for (;;) {
		/*
		 * WNOWAIT does not reap the child yet. Only an action needs
		 * this, for its last signal.
		 */
		wnowait = p->nactions > 0 ? WNOWAIT : 0;
		si.si_pid = 0;
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | wnowait) != 0 ||
			si.si_pid == 0)
			break;
		if (wnowait)
			reap_one(p, si.si_pid);
		else
			end_child(p, NULL, &si);
	}
}
