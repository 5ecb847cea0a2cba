#include "worker.h"

#include "clock.h"
#include "fd.h"
#include "notice.h"

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
#define GRACE 2000 /* ms past --timeout, which the worker keeps itself */

/*
 * A host that takes this process over shall reach neither the terminal nor
 * the answers of others.
 */
static void
enclose(int out, pid_t parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* Nobody could tell whose question it is. */
	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
		dup2(null, STDOUT_FILENO) == -1 || dup2(out, 3) == -1 ||
		close_range(4, ~0u, 0) != 0)
		_exit(1);
	/* ^C is the parent's to answer. */
	signal(SIGINT, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

static _Noreturn void
work(struct invocation *inv, struct answer *a, worker_job *job,
	const void *context)
{
	struct buf out = { 0 };

	notice_collect(&a->notices);
	a->reply.max_size = TABLE_MAX;
	job(inv, a, context);
	answer_pack(a, &out);
	if (!out.failed)
		fd_write_all(3, out.data, out.len);
	_exit(0);
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
		w->deadline = clock_ms() + inv->timeout * 1000LL + GRACE;
	return 0;
}

bool
worker_read(struct worker *w)
{
	ssize_t n = 1;
	char *to;

	while (n > 0 && w->in.len <= ANSWER_MAX) {
		if ((to = buf_room(&w->in, READ_SIZE)) == NULL)
			return true;
		n = read(w->fd, to, READ_SIZE);
		if (n > 0)
			w->in.len += (size_t)n;
		else if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return false;
	}
	return true;
}

static void
begin_answer(const struct worker *w, struct answer *a)
{
	memset(a, 0, sizeof(*a));
	a->host = w->host;
	a->index = w->index;
}

/* It has nothing left to say, or is not to say it. */
static void
reap(struct worker *w)
{
	kill(w->pid, SIGKILL);
	while (waitpid(w->pid, NULL, 0) == -1 && errno == EINTR)
		;
	fd_close(&w->fd);
	buf_free(&w->in);
	w->pid = 0;
}

void
worker_finish(struct worker *w, struct answer *a)
{
	begin_answer(w, a);
	if (w->in.len > ANSWER_MAX)
		answer_fail(a, FATE_FAILED, "its answer is too long");
	else if (w->in.failed)
		answer_fail(a, FATE_FAILED, "no memory for its answer");
	else
		answer_unpack(a, w->in.data, w->in.len);
	reap(w);
}

void
worker_end(struct worker *w, struct answer *a, enum fate fate, const char *why)
{
	begin_answer(w, a);
	answer_fail(a, fate, why);
	reap(w);
}
