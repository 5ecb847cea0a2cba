#include "net/account_lookup.h"

#include "clock.h"
#include "fd.h"
#include "sys/account.h"
#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MS 5000   /* maximum milliseconds that a child may run */
#define PAUSE_MS 200     /* milliseconds between the starts of two children */
#define EXISTS_MS 600000 /* milliseconds for which an account is cached */
/* milliseconds for which a missing account is cached */
#define MISSING_MS 60000
/* milliseconds to the next try after a failure of the name service */
#define FAILED_MS 5000

/* maximum bytes of a child's answer */
#define ANSWER_SIZE (ACCOUNTS_QUEUE_MAX * sizeof(struct record))

/* The child's result for a uid. `error` is 0, ESRCH or another errno value. */
struct record {
	uid_t uid;
	int error;
};

void
accounts_read_files(struct accounts *a)
{
	struct buf content = { 0 };

	account_files_read(&content);
	if (!content.failed)
		account_files_take(&a->files, content.data, content.len);
	buf_free(&content);
}

void
accounts_clear(struct accounts *a)
{
	a->nresults = 0;
}

/* Functions for the child. */

/*
 * Send the record of each uid at once, because the name service can hang at the
 * next uid.
 */
static int
send_names(const uid_t *uids, size_t n)
{
	struct account account;
	struct record r;
	size_t i;

	for (i = 0; i < n; i++) {
		r.uid = uids[i];
		r.error = account_by_uid(r.uid, &account);
		if (fd_write_all(STDOUT_FILENO, &r, sizeof(r)) != 0)
			return -1;
	}
	return 0;
}

static void __attribute__((noreturn))
run_child(const struct accounts *a, pid_t parent, int out)
{
	if (dup2(out, STDOUT_FILENO) == -1)
		_exit(1);
	close_range(3, ~0u, 0);
	sandbox_child(SANDBOX_LIST);
	sandbox_die_with(parent);
	_exit(send_names(a->asked, a->nasked) != 0);
}

/* Functions for the parent. */

static bool
names_uid(const struct settings *s, uid_t uid)
{
	const struct settings_names *exempt = &s->penalties.exempt_users;
	size_t i;

	for (i = 0; i < s->nclients; i++)
		if (s->clients[i].match == MATCH_UNIX_USER &&
			s->clients[i].uid == uid)
			return true;
	for (i = 0; i < exempt->n; i++)
		if (exempt->uids[i] == uid)
			return true;
	return false;
}

static struct account_result *
find_result(struct accounts *a, uid_t uid)
{
	size_t i;

	for (i = 0; i < a->nresults; i++)
		if (a->results[i].uid == uid)
			return &a->results[i];
	return NULL;
}

static bool
has_uid(const uid_t *uids, size_t n, uid_t uid)
{
	size_t i;

	for (i = 0; i < n && uids[i] != uid; i++)
		;
	return i < n;
}

/* Queue the uid for the next child, unless the queue is full. */
static void
enqueue(struct accounts *a, uid_t uid)
{
	if (a->nqueue < ACCOUNTS_QUEUE_MAX &&
		!has_uid(a->queue, a->nqueue, uid) &&
		!has_uid(a->asked, a->nasked, uid))
		a->queue[a->nqueue++] = uid;
}

bool
accounts_has(struct accounts *a, const struct settings *s, uid_t uid)
{
	const struct account_result *r;

	if (uid == 0 || names_uid(s, uid) || account_files_has(&a->files, uid))
		return true;
	if (account_files_subordinate(&a->files, uid))
		return false;
	r = find_result(a, uid);
	if (r == NULL || clock_ms() >= r->until)
		enqueue(a, uid);
	return r != NULL && r->exists;
}

/*
 * Return a free result. If all results are in use, return the result whose loss
 * costs the least. A missing account costs less than an existing account, and
 * an old result costs less than a new result.
 */
static struct account_result *
make_room(struct accounts *a)
{
	struct account_result *r, *least = a->results;

	if (a->nresults < ACCOUNTS_RESULTS_MAX)
		return &a->results[a->nresults++];
	for (r = a->results; r < a->results + a->nresults; r++)
		if (r->exists != least->exists ? least->exists
					       : r->until < least->until)
			least = r;
	return least;
}

static void
keep_result(struct accounts *a, uid_t uid, int error, int64_t now)
{
	struct account_result *r = find_result(a, uid);

	if (r == NULL) {
		r = make_room(a);
		*r = (struct account_result){ .uid = uid };
	}
	if (error == 0 || error == ESRCH)
		r->exists = error == 0;
	r->until = now + (error == 0              ? EXISTS_MS
				 : error == ESRCH ? MISSING_MS
						  : FAILED_MS);
}

/*
 * Keep the child's result for each uid that the child had to look up. A uid
 * without a record counts as a failure of the name service.
 */
static void
take_names(struct accounts *a)
{
	const size_t n = a->answer.len / sizeof(struct record);
	int64_t now = clock_ms();
	struct record r;
	size_t i, k;
	int error;

	for (i = 0; i < a->nasked; i++) {
		error = EAGAIN;
		for (k = 0; k < n; k++) {
			memcpy(&r, a->answer.data + k * sizeof(r), sizeof(r));
			if (r.uid == a->asked[i])
				error = r.error;
		}
		keep_result(a, a->asked[i], error, now);
	}
}

/* End the child, and keep its answer. */
static void
finish(struct accounts *a)
{
	take_names(a);
	if (a->pid != 0)
		kill(a->pid, SIGKILL);
	/*
	 * Forget the pid. The daemon later reaps a killed child as an unknown
	 * process.
	 */
	a->pid = 0;
	a->nasked = 0;
	fd_close(&a->fd);
	buf_free(&a->answer);
}

void
accounts_read(struct accounts *a)
{
	char *room = buf_room(&a->answer, ANSWER_SIZE);
	ssize_t n;

	if (room == NULL) {
		finish(a);
		return;
	}
	n = read(a->fd, room, ANSWER_SIZE);
	if (n > 0)
		a->answer.len += (size_t)n;
	if (n == 0 || a->answer.len > ANSWER_SIZE ||
		(n < 0 && errno != EAGAIN && errno != EINTR))
		finish(a);
}

/*
 * Start a child. If this is not possible, finish() reports a failure for each
 * uid.
 */
static void
start(struct accounts *a, int64_t now)
{
	pid_t parent = getpid();
	int pipes[2];

	memcpy(a->asked, a->queue, sizeof(a->asked));
	a->nasked = a->nqueue;
	a->nqueue = 0;
	a->deadline = now + ANSWER_MS;
	a->next_start = now + PAUSE_MS;
	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) != 0) {
		finish(a);
		return;
	}
	a->fd = pipes[0];
	if ((a->pid = fork()) == 0) {
		fcntl(pipes[1], F_SETFL, 0);
		run_child(a, parent, pipes[1]);
	}
	close(pipes[1]);
	if (a->pid == -1) {
		a->pid = 0;
		finish(a);
	}
}

int64_t
accounts_expire(struct accounts *a, int64_t now)
{
	if (a->fd != -1 && now >= a->deadline)
		finish(a);
	if (a->fd == -1 && a->nqueue > 0 && now >= a->next_start)
		start(a, now);
	if (a->fd != -1)
		return a->deadline;
	return a->nqueue > 0 ? a->next_start : CLOCK_NEVER;
}

bool
accounts_reaped(struct accounts *a, pid_t pid)
{
	if (a->pid != pid)
		return false;
	a->pid = 0;
	return true;
}

void
accounts_close(struct accounts *a)
{
	a->nqueue = 0;
	finish(a);
	account_files_free(&a->files);
}
