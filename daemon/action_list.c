/*
 * list: all processes that a pattern and a user match, one record each, by
 * ascending pid. Most of the time goes into the kernel's making of /proc's
 * texts, so that two readers share the work where there is much of it.
 */
#include "actions.h"

#include "buf.h"
#include "fd.h"
#include "proc.h"
#include "text.h"
#include "users.h"
#include "wire.h"

#include <errno.h>
#include <fnmatch.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLUSH_AT 61440 /* just under a pipe's capacity */
#define SHARE_FROM 96  /* processes; fewer are not worth a thread */

/* What is wanted, and where to look: the same for both readers. */
struct query {
	const char *pattern; /* NULL: any */
	uid_t uid;           /* of the user asked for, if by_user */
	bool by_user;
	int dir;
};

struct reader {
	const struct query *query;
	const pid_t *pids;
	size_t n;
	bool streams; /* writes its output as it comes, else keeps it */
	bool failed;
	uint32_t rows;
	struct users users;
	struct buf cmdline;
	struct buf out;
};

/* A pattern has no NUL, so a name with one cannot match beyond it. */
static bool
matches(const struct query *q, const struct proc *p, const char *name,
	size_t len)
{
	char text[WIRE_COMMAND_MAX + 1];

	if (q->by_user && p->uid != q->uid)
		return false;
	if (q->pattern == NULL)
		return true;
	if (len > WIRE_COMMAND_MAX)
		len = WIRE_COMMAND_MAX;
	memcpy(text, name, len);
	text[len] = '\0';
	return fnmatch(q->pattern, text, 0) == 0;
}

/* The arguments with spaces between; "[name]" where there are none. */
static void
put_command(struct reader *r, const char *name, size_t len)
{
	struct buf *c = &r->cmdline;
	size_t i;

	while (c->len > 0 && c->data[c->len - 1] == '\0')
		c->len--;
	if (c->len == 0) {
		buf_adds(&r->out, "#[");
		wire_encode(&r->out, name, len);
		buf_addc(&r->out, ']');
		return;
	}
	for (i = 0; i < c->len; i++)
		if (c->data[i] == '\0')
			c->data[i] = ' ';
	wire_put(&r->out, c->data, c->len);
}

static void
put_process(
	struct reader *r, const struct proc *p, const char *name, size_t len)
{
	struct buf *b = &r->out;

	wire_record(b);
	wire_putu(b, (unsigned)p->pid);
	wire_putu(b, (unsigned)p->ppid);
	wire_puts(b, users_name(&r->users, p->uid));
	wire_put(b, &p->state, 1);
	wire_putu(b, p->rss_kib);
	wire_putu(b, p->cpu_ms);
	wire_putu(b, proc_started(p));
	wire_put(b, name, len);
	/* The name may point into the command line, which this one edits. */
	put_command(r, name, len);
	wire_end(b);
}

/* Writes the record of one process, if it is still there and matches. */
static void
read_process(struct reader *r, pid_t pid)
{
	struct proc p;
	const char *name;
	size_t len;

	if (proc_read(r->query->dir, pid, &p) != 0) {
		/* Better no list than one that silently lacks some. */
		r->failed = proc_is_short(errno);
		return;
	}
	if (p.kernel)
		buf_reset(&r->cmdline);
	else
		proc_cmdline(r->query->dir, pid, &r->cmdline, WIRE_COMMAND_MAX);
	name = proc_name(&p, &r->cmdline, &len);
	if (!matches(r->query, &p, name, len))
		return;
	put_process(r, &p, name, len);
	r->rows++;
}

static int
flush(struct buf *b)
{
	int result =
		b->failed ? -1 : fd_write_all(STDOUT_FILENO, b->data, b->len);

	buf_reset(b);
	return result;
}

static void *
read_all(void *arg)
{
	struct reader *r = arg;
	size_t i;

	for (i = 0; i < r->n && !r->failed; i++) {
		read_process(r, r->pids[i]);
		if (r->streams && r->out.len >= FLUSH_AT)
			r->failed = flush(&r->out) != 0;
	}
	return NULL;
}

static void
free_reader(struct reader *r)
{
	users_free(&r->users);
	buf_free(&r->cmdline);
	buf_free(&r->out);
}

/* Reads the pids' processes and writes their records; how many, -1 if not. */
static int64_t
list_pids(const struct query *q, const pid_t *pids, size_t n)
{
	size_t half = n < SHARE_FROM ? n : n / 2;
	struct reader first = { q, pids, half, .streams = true };
	struct reader second = { q, pids + half, n - half, .streams = false };
	int64_t rows = -1;
	pthread_t thread;

	wire_columns(&first.out, verb_list_columns);
	if (second.n == 0 ||
		pthread_create(&thread, NULL, read_all, &second) != 0) {
		first.n = n;
		read_all(&first);
		second.n = 0;
	} else {
		read_all(&first);
		pthread_join(thread, NULL);
	}
	if (!first.failed && !second.failed && flush(&first.out) == 0 &&
		flush(&second.out) == 0)
		rows = (int64_t)first.rows + second.rows;
	free_reader(&first);
	free_reader(&second);
	return rows;
}

int
action_list(const struct action_context *c)
{
	struct query q = { .pattern = c->request->strings[REQUEST_NAME] };
	const char *user = c->request->strings[REQUEST_USER];
	pid_t *pids = NULL;
	size_t n = 0;
	int64_t rows;

	q.by_user = user != NULL;
	if (!q.by_user || users_uid(user, &q.uid) == 0) {
		if ((q.dir = proc_open()) == -1 ||
			proc_pids(q.dir, &pids, &n) != 0)
			return ACTION_FAILED;
	}
	rows = list_pids(&q, pids, n);
	free(pids);
	if (rows < 0)
		return ACTION_FAILED;
	c->report->rows = (uint32_t)rows;
	return rows == 0 ? ACTION_NO_MATCH : ACTION_OK;
}
