#include "lookups.h"

#include "clock.h"
#include "fd.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MS 5000 /* for a name service to answer */
#define KEEP_MS 10000  /* an answer */
#define FAILED_MS 1000 /* before it is asked again */

/* The count goes before the groups: an end without it is no answer. */
struct answer {
	uint32_t n;
	gid_t groups[IDENTITY_GROUPS_MAX];
};

/* So it comes whole or not at all: pipe(7). */
_Static_assert(sizeof(struct answer) <= PIPE_BUF, "it fits a pipe's write");

static size_t
answer_size(const struct answer *a)
{
	return offsetof(struct answer, groups) + a->n * sizeof(gid_t);
}

static void __attribute__((noreturn)) run_child(uid_t uid, int out)
{
	struct answer a;
	int n;

	if (dup2(out, STDOUT_FILENO) == -1)
		_exit(1);
	close_range(3, ~0u, 0);
	sandbox_child(SANDBOX_LIST);
	if ((n = identity_groups(uid, a.groups)) < 0)
		_exit(1);
	a.n = (uint32_t)n;
	_exit(fd_write_all(STDOUT_FILENO, &a, answer_size(&a)) != 0);
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
	if (l->failed)
		return -1;
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
finish(struct lookup *l, bool failed)
{
	fd_close(&l->fd);
	l->state = LOOKUP_DONE;
	l->failed = failed;
	l->deadline = clock_ms() + (failed ? FAILED_MS : KEEP_MS);
}

/* False if that is not a whole answer. */
static bool
take_answer(struct lookup *l, const struct answer *a, ssize_t len)
{
	if (len < (ssize_t)offsetof(struct answer, groups) ||
		a->n > IDENTITY_GROUPS_MAX || (size_t)len != answer_size(a))
		return false;
	if ((l->groups = calloc(a->n + 1, sizeof(gid_t))) == NULL)
		return false;
	memcpy(l->groups, a->groups, a->n * sizeof(gid_t));
	l->n = a->n;
	return true;
}

bool
lookups_read(struct lookups *ls, int fd)
{
	struct answer a;
	struct lookup *l;
	ssize_t n;

	for (l = ls->v; l < ls->v + LOOKUPS_MAX; l++)
		if (l->state == LOOKUP_RUNNING && l->fd == fd)
			break;
	if (l == ls->v + LOOKUPS_MAX)
		return false;
	n = read(fd, &a, sizeof(a));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	finish(l, !take_answer(l, &a, n));
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
		if (l->pid != 0)
			kill(l->pid, SIGKILL);
		finish(l, true);
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
