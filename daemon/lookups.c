#include "lookups.h"

#include "clock.h"
#include "fd.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MS 5000 /* for a name service to answer */
#define KEEP_MS 10000  /* an answer */

/* The answer goes through the pipe at once: IDENTITY_GROUPS_MAX fits. */
static void __attribute__((noreturn)) run_child(uid_t uid, int out)
{
	gid_t groups[IDENTITY_GROUPS_MAX];
	int n;

	if (dup2(out, STDOUT_FILENO) == -1)
		_exit(1);
	close_range(3, ~0u, 0);
	sandbox_child(SANDBOX_LIST);
	n = identity_groups(uid, groups);
	if (n > 0 && fd_write_all(STDOUT_FILENO, groups,
			     (size_t)n * sizeof(gid_t)) != 0)
		_exit(1);
	_exit(0);
}

static void
forget(struct lookup *l)
{
	free(l->groups);
	l->groups = NULL;
	l->n = 0;
	l->state = LOOKUP_FREE;
}

static int
start(struct lookup *l, uid_t uid)
{
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	if ((l->pid = fork()) == 0)
		run_child(uid, pipes[1]);
	close(pipes[1]);
	if (l->pid == -1) {
		l->pid = 0;
		close(pipes[0]);
		return -1;
	}
	l->uid = uid;
	l->fd = pipes[0];
	l->state = LOOKUP_RUNNING;
	l->deadline = clock_ms() + ANSWER_MS;
	return 0;
}

static struct lookup *
find(struct lookups *ls, uid_t uid)
{
	struct lookup *l;

	for (l = ls->v; l < ls->v + LOOKUPS_MAX; l++)
		if (l->state != LOOKUP_FREE && l->uid == uid)
			return l;
	return NULL;
}

/* A free place; else that of the answer that is the next to be forgotten. */
static struct lookup *
make_room(struct lookups *ls)
{
	struct lookup *l, *oldest = NULL;

	for (l = ls->v; l < ls->v + LOOKUPS_MAX; l++) {
		if (l->pid != 0 || l->state == LOOKUP_RUNNING)
			continue;
		if (l->state == LOOKUP_FREE)
			return l;
		if (oldest == NULL || l->deadline < oldest->deadline)
			oldest = l;
	}
	if (oldest != NULL)
		forget(oldest);
	return oldest;
}

int
lookups_groups(struct lookups *ls, struct identity *who)
{
	struct lookup *l = find(ls, who->uid);
	gid_t *groups;

	if (l == NULL) {
		if ((l = make_room(ls)) == NULL || start(l, who->uid) != 0)
			return -1;
		return 0;
	}
	if (l->state == LOOKUP_RUNNING)
		return 0;
	if ((groups = calloc(l->n + 1, sizeof(*groups))) == NULL)
		return -1;
	if (l->n > 0)
		memcpy(groups, l->groups, l->n * sizeof(*groups));
	free(who->groups);
	who->groups = groups;
	who->ngroups = l->n;
	who->groups_known = true;
	return 1;
}

static void
finish(struct lookup *l)
{
	fd_close(&l->fd);
	l->state = LOOKUP_DONE;
	l->deadline = clock_ms() + KEEP_MS;
}

bool
lookups_read(struct lookups *ls, int fd)
{
	gid_t groups[IDENTITY_GROUPS_MAX];
	struct lookup *l;
	ssize_t n;

	for (l = ls->v; l < ls->v + LOOKUPS_MAX; l++)
		if (l->state == LOOKUP_RUNNING && l->fd == fd)
			break;
	if (l == ls->v + LOOKUPS_MAX)
		return false;
	n = read(fd, groups, sizeof(groups));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	/* At most PIPE_BUF bytes, so they come whole or not at all. */
	_Static_assert(sizeof(groups) <= PIPE_BUF, "groups fit a pipe write");
	if (n > 0 && (l->groups = malloc((size_t)n)) != NULL) {
		memcpy(l->groups, groups, (size_t)n);
		l->n = (size_t)n / sizeof(gid_t);
	}
	finish(l);
	return true;
}

bool
lookups_expire(struct lookups *ls, int64_t now)
{
	bool changed = false;
	struct lookup *l;

	for (l = ls->v; l < ls->v + LOOKUPS_MAX; l++) {
		if (l->state == LOOKUP_FREE || now < l->deadline)
			continue;
		if (l->state == LOOKUP_DONE) {
			forget(l);
			continue;
		}
		/* No answer is the answer: no groups. */
		if (l->pid != 0)
			kill(l->pid, SIGKILL);
		finish(l);
		changed = true;
	}
	return changed;
}

int64_t
lookups_deadline(const struct lookups *ls)
{
	const struct lookup *l;
	int64_t first = CLOCK_NEVER;

	for (l = ls->v; l < ls->v + LOOKUPS_MAX; l++)
		if (l->state != LOOKUP_FREE && l->deadline < first)
			first = l->deadline;
	return first;
}

void
lookups_forget(struct lookups *ls)
{
	struct lookup *l;

	for (l = ls->v; l < ls->v + LOOKUPS_MAX; l++)
		if (l->state == LOOKUP_DONE)
			forget(l);
}

bool
lookups_reaped(struct lookups *ls, pid_t pid)
{
	struct lookup *l;

	for (l = ls->v; l < ls->v + LOOKUPS_MAX; l++) {
		if (l->pid != pid)
			continue;
		l->pid = 0;
		return true;
	}
	return false;
}
