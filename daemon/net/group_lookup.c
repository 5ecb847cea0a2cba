#include "net/group_lookup.h"

#include "clock.h"
#include "fd.h"
#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MS 5000 /* maximum milliseconds to look up a user's groups */
#define KEEP_MS 10000  /* milliseconds for which a user's groups are cached */
#define FAILED_MS 1000 /* milliseconds for which a failed look-up is cached */

/*
 * The message of the child, with the user's groups. The number of groups shows
 * if the message is complete.
 */
struct answer {
	uint32_t n;
	gid_t groups[PEER_GROUPS_MAX];
};

/*
 * The message must fit into PIPE_BUF bytes, because only such a write is atomic
 * (pipe(7)).
 */
_Static_assert(sizeof(struct answer) <= PIPE_BUF, "writes are not atomic");

static size_t
answer_size(const struct answer *a)
{
	return offsetof(struct answer, groups) + a->n * sizeof(gid_t);
}

static void __attribute__((noreturn))
run_child(uid_t uid, pid_t parent, int out)
{
	struct answer a;
	int n;

	if (dup2(out, STDOUT_FILENO) == -1)
		_exit(1);
	close_range(3, ~0u, 0);
	sandbox_child(SANDBOX_LIST);
	sandbox_die_with(parent);
	if ((n = peer_groups(uid, a.groups)) < 0)
		_exit(1);
	a.n = (uint32_t)n;
	_exit(fd_write_all(STDOUT_FILENO, &a, answer_size(&a)) != 0);
}

static void
free_lookup(struct group_lookup *l)
{
	free(l->groups);
	l->groups = NULL;
	l->n = 0;
	l->state = LOOKUP_FREE;
}

static int
start(struct group_lookup *l, uid_t uid)
{
	pid_t parent = getpid();
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	if ((l->pid = fork()) == 0)
		run_child(uid, parent, pipes[1]);
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

static struct group_lookup *
find(struct group_lookups *ls, uid_t uid)
{
	struct group_lookup *l;

	for (l = ls->v; l < ls->v + GROUP_LOOKUPS_MAX; l++)
		if (l->state != LOOKUP_FREE && l->uid == uid)
			return l;
	return NULL;
}

/*
 * Return a free entry. If no entry is free, free the oldest result and return
 * its entry. Return NULL if all look-ups are still running.
 */
static struct group_lookup *
make_room(struct group_lookups *ls)
{
	struct group_lookup *l, *oldest = NULL;

	for (l = ls->v; l < ls->v + GROUP_LOOKUPS_MAX; l++) {
		if (l->pid != 0 || l->state == LOOKUP_RUNNING)
			continue;
		if (l->state == LOOKUP_FREE)
			return l;
		if (oldest == NULL || l->deadline < oldest->deadline)
			oldest = l;
	}
	if (oldest != NULL)
		free_lookup(oldest);
	return oldest;
}

int
group_lookups_find(struct group_lookups *ls, struct peer *peer)
{
	struct group_lookup *l = find(ls, peer->uid);
	gid_t *groups;

	if (l == NULL) {
		if ((l = make_room(ls)) == NULL || start(l, peer->uid) != 0)
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
	free(peer->groups);
	peer->groups = groups;
	peer->ngroups = l->n;
	peer->groups_known = true;
	return 1;
}

static void
finish(struct group_lookup *l, bool failed)
{
	fd_close(&l->fd);
	l->state = LOOKUP_DONE;
	l->failed = failed;
	l->deadline = clock_ms() + (failed ? FAILED_MS : KEEP_MS);
}

/*
 * Copy the groups from the child's message. Return false if the message is not
 * complete.
 */
static bool
take_answer(struct group_lookup *l, const struct answer *a, ssize_t len)
{
	if (len < (ssize_t)offsetof(struct answer, groups) ||
		a->n > PEER_GROUPS_MAX || (size_t)len != answer_size(a))
		return false;
	if ((l->groups = calloc(a->n + 1, sizeof(gid_t))) == NULL)
		return false;
	memcpy(l->groups, a->groups, a->n * sizeof(gid_t));
	l->n = a->n;
	return true;
}

bool
group_lookups_read(struct group_lookups *ls, int fd)
{
	struct answer a;
	struct group_lookup *l;
	ssize_t n;

	for (l = ls->v; l < ls->v + GROUP_LOOKUPS_MAX; l++)
		if (l->state == LOOKUP_RUNNING && l->fd == fd)
			break;
	if (l == ls->v + GROUP_LOOKUPS_MAX)
		return false;
	n = read(fd, &a, sizeof(a));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	finish(l, !take_answer(l, &a, n));
	return true;
}

static void
expire(struct group_lookup *l, bool *given_up)
{
	if (l->state == LOOKUP_DONE) {
		free_lookup(l);
		return;
	}
	if (l->pid != 0)
		kill(l->pid, SIGKILL);
	finish(l, true);
	*given_up = true;
}

int64_t
group_lookups_expire(struct group_lookups *ls, int64_t now, bool *given_up)
{
	int64_t next = CLOCK_NEVER;
	struct group_lookup *l;

	for (l = ls->v; l < ls->v + GROUP_LOOKUPS_MAX; l++) {
		if (l->state != LOOKUP_FREE && now >= l->deadline)
			expire(l, given_up);
		if (l->state != LOOKUP_FREE)
			next = clock_earlier(next, l->deadline);
	}
	return next;
}

void
group_lookups_clear(struct group_lookups *ls)
{
	struct group_lookup *l;

	for (l = ls->v; l < ls->v + GROUP_LOOKUPS_MAX; l++)
		if (l->state == LOOKUP_DONE)
			free_lookup(l);
}

bool
group_lookups_reaped(struct group_lookups *ls, pid_t pid)
{
	struct group_lookup *l;

	for (l = ls->v; l < ls->v + GROUP_LOOKUPS_MAX; l++) {
		if (l->pid != pid)
			continue;
		l->pid = 0;
		return true;
	}
	return false;
}
