#include "fanout/worker.h"

#include "fd.h"
#include "remote/client_key.h"
#include "util/message.h"

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
 * Maximum number of bytes in one packed result. Each host can send this number
 * of bytes, so the limit is small. A process list of this size still has
 * hundreds of thousands of processes.
 */
#define RESULT_MAX (32u * 1024 * 1024)
#define TABLE_MAX (128u * 1024 * 1024) /* bytes, as table_reserve() counts */
#define READ_SIZE 65536
#define OUT 3 /* number of the pipe's descriptor in a worker */

/*
 * Close all descriptors except stderr and the pipe, and ignore ^C. If a hostile
 * host takes over this process, the host has no access to the pipes of other
 * hosts. The worker ends when its parent ends.
 */
static void
isolate(int out, pid_t parent)
{
	int null;

	/*
	 * Close the descriptors before open(), because open() needs a free
	 * descriptor.
	 */
	if (dup2(out, OUT) == -1 || close_range(OUT + 1, ~0u, 0) != 0)
		_exit(1);
	/*
	 * A worker must not read answers from the user. The user could not know
	 * which host a question is about.
	 */
	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1 ||
		dup2(null, STDIN_FILENO) == -1 ||
		dup2(null, STDOUT_FILENO) == -1)
		_exit(1);
	fd_close(&null);
	/* The parent handles ^C. */
	signal(SIGINT, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

/*
 * Append the length of the packed result as a size_t. Then append the packed
 * result.
 */
static void
pack(const struct result *result, struct buf *out)
{
	size_t len = 0;

	buf_add(out, &len, sizeof(len));
	result_pack(result, out);
	if (out->failed)
		return;
	len = out->len - sizeof(len);
	memcpy(out->data, &len, sizeof(len));
}

/*
 * Write the packed bytes to the pipe, and free the buffer. Return false if the
 * buffer has failed or the write fails.
 */
static bool
send_packed(struct buf *out)
{
	bool sent = !out->failed && fd_write_all(OUT, out->data, out->len) == 0;

	buf_free(out);
	return sent;
}

bool
worker_send(const struct result *result)
{
	struct buf out = { 0 };

	pack(result, &out);
	return send_packed(&out);
}

static _Noreturn void
run_worker(const struct invocation *inv, struct result *result, worker_job *job,
	const void *context, struct budget_share *share)
{
	struct buf out = { 0 };

	message_collect(&result->notices);
	result->reply.table.max_size = TABLE_MAX;
	result->reply.table.share = share;
	job(inv, result, context);
	/*
	 * Free the result before writing, so that each worker holds only the
	 * packed copy. Many workers can wait at the same time until the parent
	 * reads their results.
	 */
	pack(result, &out);
	result_free(result);
	send_packed(&out);
	_exit(0);
}

/*
 * Read the client's key in the parent, so that all workers inherit the key.
 * Otherwise each worker would spend most of its time on reading the key. Ignore
 * errors here, because the worker reports the same errors.
 */
static void
prepare_key(const struct endpoint *e)
{
	struct buf problem = { 0 };

	if (e->target->kind == TARGET_TLS)
		client_key_context(e, CLIENT_KEY_NOW, &problem);
	buf_free(&problem);
}

int
worker_start(struct worker *w, const struct invocation *inv, size_t index,
	worker_job *job, const void *context, struct budget *budget)
{
	struct budget_share *share = budget_share_open(budget, RESULT_MAX);
	struct result result = { .host = &inv->hosts.v[index], .index = index };
	struct endpoint e = endpoint_of(inv, result.host);
	pid_t parent = getpid(), pid = -1;
	int ends[2];

	prepare_key(&e);
	if (share == NULL)
		return -1;
	if (pipe2(ends, O_CLOEXEC) != 0) {
		budget_share_end(share);
		return -1;
	}
	if (fd_nonblock(ends[0]) == 0 && (pid = fork()) == 0) {
		isolate(ends[1], parent);
		run_worker(inv, &result, job, context, share);
	}
	fd_close(&ends[1]);
	if (pid == -1) {
		fd_close(&ends[0]);
		budget_share_end(share);
		return -1;
	}
	*w = (struct worker){ .pid = pid,
		.fd = ends[0],
		.host = result.host,
		.index = index,
		.share = share };
	return 0;
}

const char *
worker_read(struct worker *w)
{
	ssize_t n;
	char *to;

	while (w->in.len <= RESULT_MAX) {
		if ((to = buf_room(&w->in, READ_SIZE)) == NULL)
			return "out of memory for the reply";
		n = read(w->fd, to, READ_SIZE);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return NULL;
		if (n <= 0)
			return "the worker process for this host has died";
		w->in.len += (size_t)n;
	}
	return "the reply is too long";
}

bool
worker_next(struct worker *w, struct result *result)
{
	size_t len;

	if (w->in.failed || w->in.len < sizeof(len))
		return false;
	memcpy(&len, w->in.data, sizeof(len));
	if (len > w->in.len - sizeof(len))
		return false;
	*result = (struct result){ .host = w->host, .index = w->index };
	result_unpack(result, w->in.data + sizeof(len), len);
	buf_drop(&w->in, sizeof(len) + len);
	return true;
}

void
worker_end(struct worker *w)
{
	kill(w->pid, SIGKILL);
	while (waitpid(w->pid, NULL, 0) == -1 && errno == EINTR)
		;
	fd_close(&w->fd);
	budget_share_end(w->share);
	buf_free(&w->in);
}
