/* Functions that drop privileges of the daemon and of its children. */
#ifndef BRIDLE_SANDBOX_H
#define BRIDLE_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

enum sandbox_role {
	SANDBOX_LOGGER, /* the logger: no capabilities */
	SANDBOX_LIST,   /* `list` actions and look-ups: no capabilities */
	SANDBOX_KILL,   /* `kill` actions: only CAP_KILL */
	/*
	 * commands: no capabilities, also after exec, unless the daemon is root
	 */
	SANDBOX_EXEC
};

/*
 * Reset the signal handlers and the signal mask of this process. Drop all
 * privileges that the role does not need. A new child calls this, except for a
 * session, which uses session/privdrop.h. On failure, the process ends.
 */
void sandbox_child(enum sandbox_role);

/*
 * Let the kernel kill this child when its parent dies. `parent` is the parent's
 * process ID, which the parent read with getpid() before the fork. If the
 * parent has already died, this call ends the process.
 */
void sandbox_die_with(pid_t parent);

/*
 * Replace the standard descriptors from `first` to `last` by /dev/null. If such
 * a descriptor was a pipe, the reader of the pipe no longer waits for this
 * process. Return 0, or -1 with errno.
 */
int sandbox_silence(int first, int last);

/*
 * Change this process permanently from root to `user` and the user's groups.
 * CAP_KILL becomes the only capability of the process. Test that the process
 * cannot become root again. The process must be root, and `user` must not be
 * root. Return 0, or -1 with errno.
 */
int sandbox_become(uid_t, gid_t, const char *user);

/*
 * Forbid core dumps and tracing of this process, and prepare sandbox_child().
 * The daemon calls this before it forks the first child. Return 0, or -1 with
 * errno. After a failure, *what is a constant text that describes the failed
 * step.
 */
int sandbox_parent(const char **what);

/*
 * True if the process has CAP_KILL but is not root. Call sandbox_parent()
 * before this function.
 */
bool sandbox_is_service(void);

#endif
