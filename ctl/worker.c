#include "worker.h"

#include "clock.h"
#include "fd.h"
#include "notice.h"
#include "own_key.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Of one answer. Any one host could say so much, and all of them at once:
 * this is for hundreds of thousands of processes.
 */
#define ANSWER_MAX (32u * 1024 * 1024)
#define TABLE_MAX (128u * 1024 * 1024) /* as REPLY_SIZE_MAX counts */
#define READ_SIZE 65536
#define OUT 3      /* where a worker has its pipe */
#define GRACE 2000 /* ms past --timeout, which the worker keeps itself */

/*
 * A host that takes this process over shall reach neither the terminal nor
 * the answers of others.
 */
static void
enclose(int out, pid_t parent)
{
	int null;

	/* First, since there may be none left for the second. */
	if (dup2(out, OUT) == -1 || close_range(OUT + 1, ~0u, 0) != 0)
		_exit(1);
	/* Nobody could tell whose question it is. */
	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1 ||
		dup2(null, STDIN_FILENO) == -1 ||
		dup2(null, STDOUT_FILENO) == -1)
		_exit(1);
	fd_close(&null);
	/* ^C is the parent's to answer. */
	signal(SIGINT, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

bool
worker_send(struct answer *a)
{
	struct buf out = { 0 };
	size_t len = 0;
	bool sent = false;

	buf_add(&out, &len, sizeof(len));
	answer_pack(a, &out);
	if (!out.failed) {
		len = out.len - sizeof(len);
		memcpy(out.data, &len, sizeof(len));
		sent = fd_write_all(OUT, out.data, out.len) == 0;
	}
	buf_free(&out);
	answer_free(a);
	return sent;
}

static _Noreturn void
work(struct invocation *inv, struct answer *a, worker_job *job,
	const void *context)
{
	notice_collect(&a->notices);
	a->reply.max_size = TABLE_MAX;
	job(inv, a, context);
	worker_send(a);
	_exit(0);
}

/*
 * Makes what TLS needs of one's own before the fork, once for all workers:
 * without it they would spend most of their time there. What is wrong with the
 * key each of them finds again, and tells.
 */
static void
warm_up(const struct invocation *inv)
{
	struct buf problem = { 0 };

	if (inv->target.kind == TARGET_TLS)
		own_key_context(inv, OWN_KEY_NOW, &problem);
	buf_free(&problem);
}

int
worker_start(struct worker *w, struct invocation *inv, size_t index,
	worker_job *job, const void *context)
{
	struct answer a = { .host = &inv->hosts.v[index], .index = index };
	pid_t parent = getpid();
	int ends[2];

	memset(w, 0, sizeof(*w));
	invocation_turn(inv, a.host);
	warm_up(inv);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	if (fd_nonblock(ends[0]) == 0 && (w->pid = fork()) == 0) {
		enclose(ends[1], parent);
		work(inv, &a, job, context);
	}
	fd_close(&ends[1]);
	if (w->pid <= 0) {
		fd_close(&ends[0]);
		w->pid = 0;
		return -1;
	}
	w->fd = ends[0];
	w->host = a.host;
	w->index = index;
	w->deadline = INT64_MAX;
	if (inv->timeout > 0)
		w->deadline = clock_ms() +
			      (inv->timeout + inv->await) * 1000LL + GRACE;
	return 0;
}

bool
worker_read(struct worker *w)
{
	ssize_t n;
	char *to;

	while (w->in.len <= ANSWER_MAX) {
		if ((to = buf_room(&w->in, READ_SIZE)) == NULL)
			return false;
		n = read(w->fd, to, READ_SIZE);
		if (n > 0)
			w->in.len += (size_t)n;
		else
			return n == -1 && (errno == EAGAIN || errno == EINTR);
	}
	return false;
}

static void
begin_answer(const struct worker *w, struct answer *a)
{
	memset(a, 0, sizeof(*a));
	a->host = w->host;
	a->index = w->index;
}

bool
worker_next(struct worker *w, struct answer *a)
{
	size_t len;

	if (w->in.failed || w->in.len < sizeof(len))
		return false;
	memcpy(&len, w->in.data, sizeof(len));
	if (len > w->in.len - sizeof(len))
		return false;
	begin_answer(w, a);
	answer_unpack(a, w->in.data + sizeof(len), len);
	buf_drop(&w->in, sizeof(len) + len);
	return true;
}

void
worker_fail(const struct worker *w, struct answer *a, enum fate fate,
	const char *why)
{
	begin_answer(w, a);
	answer_fail(a, fate, why);
}

const char *
worker_why(const struct worker *w)
{
	if (w->in.failed)
		return "no memory for its answer";
	if (w->in.len > ANSWER_MAX)
		return "its answer is too long";
	return "the process that asked it has died";
}

void
worker_end(struct worker *w)
{
	kill(w->pid, SIGKILL);
	while (waitpid(w->pid, NULL, 0) == -1 && errno == EINTR)
		;
	fd_close(&w->fd);
	buf_free(&w->in);
	w->pid = 0;
}
