/*
 * The action of the verb `list`. It writes one record for each process that
 * matches a pattern and a user. The records are sorted by pid. The kernel needs
 * much time to format the texts of /proc. If there are many processes, two
 * threads share this work.
 */
#include "action/action.h"

#include "action/proc.h"
#include "action/user_cache.h"
#include "buf.h"
#include "fd.h"
#include "text.h"
#include "wire.h"

#include <errno.h>
#include <fnmatch.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * bytes of output to collect before a write; just below the capacity of a pipe
 */
#define FLUSH_AT 61440
#define SHARE_FROM 96 /* minimum number of processes for a second thread */

/*
 * The filter of the request, and the descriptor of /proc. Both readers share
 * this struct.
 */
struct query {
	/* shell pattern for the name; NULL matches any name */
	const char *pattern;
	uid_t uid; /* uid of the requested user; valid if by_user */
	bool by_user;
	int dir;
};

struct reader {
	const struct query *query;
	const pid_t *pids;
	size_t n;
	/*
	 * true to write the output each time it has FLUSH_AT bytes; false to
	 * keep all output
	 */
	bool streams;
	bool failed;
	uint32_t rows;
	struct user_cache user_cache;
	struct buf cmdline;
	struct buf out;
};

/*
 * True if the filter matches the process. In a name that contains a NUL, only
 * the bytes before the NUL count.
 */
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

/*
 * Append the arguments of the process, joined by spaces. If there are no
 * arguments, append "[name]".
 */
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
	wire_puts(b, user_cache_name(&r->user_cache, p->uid));
	wire_put(b, &p->state, 1);
	wire_putu(b, p->rss_kib);
	wire_putu(b, p->cpu_ms);
	wire_putu(b, proc_started(p));
	wire_put(b, name, len);
	/*
	 * Call put_command() last, because put_command() changes the command
	 * line, and `name` may point into the command line.
	 */
	put_command(r, name, len);
	wire_end(b);
}

/* Append the record of one process, if the process still exists and matches. */
static void
read_process(struct reader *r, pid_t pid)
{
	struct proc p;
	const char *name;
	size_t len;

	if (proc_read(r->query->dir, pid, &p) != 0) {
		/*
		 * Fail, because a list that lacks some processes would be
		 * wrong.
		 */
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
	user_cache_free(&r->user_cache);
	buf_free(&r->cmdline);
	buf_free(&r->out);
}

/*
 * Write the records of all matching processes in `pids`. Return the number of
 * records, or -1 on failure.
 */
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
	bool unknown = false;
	size_t n = 0;
	int64_t rows;

	q.by_user = user != NULL;
	if (q.by_user && user_cache_uid(user, &q.uid) != 0) {
		c->report->code = user_cache_unknown(
			user, errno, c->report->text, sizeof(c->report->text));
		unknown = true;
	} else {
		if ((q.dir = proc_open()) == -1 ||
			proc_pids(q.dir, &pids, &n) != 0)
			return ACTION_FAILED;
		c->report->hidden = proc_hides_others(q.dir);
	}
	rows = list_pids(&q, pids, n);
	free(pids);
	if (rows < 0)
		return ACTION_FAILED;
	if (unknown)
		return ACTION_FOUND;
	c->report->rows = (uint32_t)rows;
	return rows == 0 ? ACTION_NO_MATCH : ACTION_OK;
}
