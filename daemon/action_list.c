/*
 * list: all processes that a pattern and a user match, one record each.
 */
#include "actions.h"

#include "buf.h"
#include "fd.h"
#include "proc.h"
#include "text.h"
#include "users.h"
#include "wire.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLUSH_AT 61440 /* just under a pipe's capacity */

struct lister {
	const char *pattern; /* NULL: any */
	uid_t uid;           /* of the user asked for, if by_user */
	bool by_user;
	int dir;
	struct users users;
	struct buf cmdline;
	struct buf out;
};

/* A pattern has no NUL, so a name with one cannot match beyond it. */
static bool
matches(const struct lister *l, const struct proc *p, const char *name,
	size_t len)
{
	char text[WIRE_COMMAND_MAX + 1];

	if (l->by_user && p->uid != l->uid)
		return false;
	if (l->pattern == NULL)
		return true;
	if (len > WIRE_COMMAND_MAX)
		len = WIRE_COMMAND_MAX;
	memcpy(text, name, len);
	text[len] = '\0';
	return fnmatch(l->pattern, text, 0) == 0;
}

/* The arguments with spaces between; "[name]" where there are none. */
static void
put_command(struct lister *l, const char *name, size_t len)
{
	struct buf *c = &l->cmdline;
	size_t i;

	while (c->len > 0 && c->data[c->len - 1] == '\0')
		c->len--;
	if (c->len == 0) {
		buf_adds(&l->out, "#[");
		wire_encode(&l->out, name, len);
		buf_addc(&l->out, ']');
		return;
	}
	for (i = 0; i < c->len; i++)
		if (c->data[i] == '\0')
			c->data[i] = ' ';
	wire_put(&l->out, c->data, c->len);
}

static void
put_process(
	struct lister *l, const struct proc *p, const char *name, size_t len)
{
	struct buf *b = &l->out;

	wire_record(b);
	wire_putu(b, (unsigned)p->pid);
	wire_putu(b, (unsigned)p->ppid);
	wire_puts(b, users_name(&l->users, p->uid));
	wire_put(b, &p->state, 1);
	wire_putu(b, p->rss_kib);
	wire_putu(b, p->cpu_ms);
	wire_putu(b, proc_started(p));
	wire_put(b, name, len);
	/* The name may point into the command line, which this one edits. */
	put_command(l, name, len);
	wire_end(b);
}

/* 1 if it was written, 0 if it does not match or is gone. */
static int
list_process(struct lister *l, pid_t pid)
{
	struct proc p;
	const char *name;
	size_t len;

	if (proc_read(l->dir, pid, &p) != 0)
		return 0;
	if (p.kernel)
		buf_reset(&l->cmdline);
	else
		proc_cmdline(l->dir, pid, &l->cmdline, WIRE_COMMAND_MAX);
	name = proc_name(&p, &l->cmdline, &len);
	if (!matches(l, &p, name, len))
		return 0;
	put_process(l, &p, name, len);
	return 1;
}

static int
flush(struct buf *b)
{
	int result =
		b->failed ? -1 : fd_write_all(STDOUT_FILENO, b->data, b->len);

	buf_reset(b);
	return result;
}

static int
list_all(struct lister *l, struct action_report *report)
{
	pid_t *pids;
	size_t n, i;

	if (proc_pids(l->dir, &pids, &n) != 0)
		return -1;
	for (i = 0; i < n; i++) {
		report->rows += (uint32_t)list_process(l, pids[i]);
		if (l->out.len >= FLUSH_AT && flush(&l->out) != 0)
			break;
	}
	free(pids);
	return i == n ? flush(&l->out) : -1;
}

int
action_list(const struct action_context *c)
{
	struct lister l = { .pattern = c->request->strings[REQUEST_NAME] };
	const char *user = c->request->strings[REQUEST_USER];

	wire_columns(&l.out, verb_list_columns);
	if (user != NULL) {
		l.by_user = true;
		if (users_uid(user, &l.uid) != 0)
			return flush(&l.out) == 0 ? ACTION_NO_MATCH
						  : ACTION_FAILED;
	}
	if ((l.dir = proc_open()) == -1 || list_all(&l, c->report) != 0)
		return ACTION_FAILED;
	return c->report->rows == 0 ? ACTION_NO_MATCH : ACTION_OK;
}
