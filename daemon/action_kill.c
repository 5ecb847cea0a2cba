/*
 * kill: exactly the processes that the name means, each held by a pidfd from
 * before it is looked at until after it is signalled, so that no other
 * process can come to stand in its place.
 */
#include "actions.h"

#include "buf.h"
#include "clock.h"
#include "fd.h"
#include "policy.h"
#include "proc.h"
#include "text.h"
#include "users.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <unistd.h>

struct victim {
	struct proc proc;
	int fd; /* its pidfd; -1 when nobody needs it any more */
	enum kill_outcome outcome;
	bool by_policy; /* KILL_DENIED, and not by the kernel */
	char *name;
	size_t namelen;
};

struct killer {
	const struct action_context *context;
	const struct request *request;
	uid_t uid; /* of the user asked for, if by_user */
	bool by_user;
	int dir;
	char boot[9];
	struct users users;
	struct buf cmdline;
	size_t room; /* for so many pidfds at a time */
	size_t n;
	struct victim *victims;
};

/* Whether only= names this process; without only= all are meant. */
static bool
is_named(const struct killer *k, const struct proc *p)
{
	const char *only = k->request->strings[REQUEST_ONLY];
	char token[PROC_TOKEN_MAX];
	size_t len, n;

	if (only == NULL)
		return true;
	proc_token(p, k->boot, token, sizeof(token));
	n = strlen(token);
	for (;; only += len + 1) {
		len = strcspn(only, ",");
		if (len == n && memcmp(only, token, n) == 0)
			return true;
		if (only[len] == '\0')
			return false;
	}
}

/*
 * Reads the process and tells whether the request means it: 1 or 0, and -1
 * if it cannot be told because descriptors or memory are short.
 */
static int
look(struct killer *k, pid_t pid, struct proc *p, const char **name,
	size_t *len)
{
	const char *wanted = k->request->strings[REQUEST_NAME];

	if (proc_read(k->dir, pid, p) != 0)
		return proc_is_short(errno) ? -1 : 0;
	if (pid == getpid() || (k->by_user && p->uid != k->uid))
		return 0;
	if (proc_name_is_cut(p))
		proc_cmdline(k->dir, pid, &k->cmdline, WIRE_COMMAND_MAX);
	else
		buf_reset(&k->cmdline);
	*name = proc_name(p, &k->cmdline, len);
	return strlen(wanted) == *len && memcmp(wanted, *name, *len) == 0 &&
	       is_named(k, p);
}

static struct victim *
add_victim(struct killer *k, const struct proc *p, const char *name, size_t len)
{
	struct victim *more, *v;

	more = reallocarray(k->victims, k->n + 1, sizeof(*more));
	if (more == NULL)
		return NULL;
	k->victims = more;
	v = &k->victims[k->n];
	v->proc = *p;
	v->fd = -1;
	v->by_policy = false;
	v->namelen = len;
	if ((v->name = malloc(len + 1)) == NULL)
		return NULL;
	memcpy(v->name, name, len);
	v->name[len] = '\0';
	k->n++;
	return v;
}

static int
find_victims(struct killer *k)
{
	struct proc p;
	const char *name;
	pid_t *pids;
	size_t n, i, len;
	int found = 0;

	if (proc_pids(k->dir, &pids, &n) != 0)
		return -1;
	for (i = 0; i < n && found >= 0; i++) {
		found = look(k, pids[i], &p, &name, &len);
		if (found > 0 && add_victim(k, &p, name, len) == NULL)
			found = -1;
	}
	free(pids);
	return found < 0 ? -1 : 0;
}

static bool
has_ended(int pidfd)
{
	struct pollfd p = { pidfd, POLLIN, 0 };

	return poll(&p, 1, 0) != 0;
}

static enum kill_outcome
send_signal(struct victim *v, int sig)
{
	if (pidfd_send_signal(v->fd, sig, NULL, 0) == 0)
		return sig == 0 ? KILL_WOULD_SIGNAL : KILL_SIGNALLED;
	return errno == ESRCH ? KILL_GONE : KILL_DENIED;
}

/*
 * As the kernel has it, a process that is not its user's in all respects is
 * not his to signal: the strictest of what its users lead to counts.
 */
static enum policy_target
judge(const struct killer *k, const struct victim *v,
	const uid_t uids[PROC_UIDS])
{
	pid_t daemon = k->context->daemon;
	enum policy_target strictest = TARGET_ALLOWED, target;
	struct policy_process p = { .pid = v->proc.pid,
		.kernel = v->proc.kernel,
		.ours = v->proc.pid == daemon || v->proc.ppid == daemon,
		.name = v->name,
		.namelen = v->namelen };
	int i;

	for (i = 0; i < PROC_UIDS && strictest != TARGET_PROTECTED; i++) {
		p.uid = uids[i];
		target = policy_target(
			k->context->settings, k->context->client, &p);
		if (target != TARGET_ALLOWED)
			strictest = target;
	}
	return strictest;
}

/*
 * What is read while the pidfd is held and its process lives is that
 * process's own. So it is read again now, and what counts is what it says
 * now: the start must be the same, the name and the user must still be meant,
 * and the policy decides on the user that it has become.
 */
static enum kill_outcome
take_held(struct killer *k, struct victim *v, int sig)
{
	struct proc again;
	uid_t uids[PROC_UIDS];
	const char *name;
	size_t len;
	int found = look(k, v->proc.pid, &again, &name, &len);

	if (found > 0 && proc_uids(k->dir, v->proc.pid, uids) != 0)
		found = proc_is_short(errno) ? -1 : 0;
	if (found < 0)
		return KILL_SURVIVED;
	if (found == 0 || again.ticks != v->proc.ticks || has_ended(v->fd))
		return KILL_GONE;
	v->proc = again;
	switch (judge(k, v, uids)) {
	case TARGET_PROTECTED:
		return KILL_PROTECTED;
	case TARGET_DENIED:
		v->by_policy = true;
		return KILL_DENIED;
	case TARGET_ALLOWED:
		break;
	}
	return send_signal(v, sig);
}

static enum kill_outcome
take(struct killer *k, struct victim *v)
{
	int sig = k->request->dry_run ? 0 : k->request->signal;

	if ((v->fd = pidfd_open(v->proc.pid, 0)) != -1)
		return take_held(k, v, sig);
	/* Two say that the number is a thread's by now: see pidfd_open(2). */
	if (errno == ESRCH || errno == EINVAL || errno == ENOENT)
		return KILL_GONE;
	return KILL_SURVIVED; /* no descriptors: it is left as it is */
}

static void
log_victim(struct killer *k, const struct victim *v, int sig)
{
	struct buf name = { 0 };

	if (k->context->client->secret)
		buf_adds(&name, "(secret)"); /* it says what was asked for */
	else
		text_quoted(&name, v->name, v->namelen);
	audit_log(k->context->audit, LOG_INFO,
		"id=%s pid=%d user=%s name=\"%s\" signal=%s outcome=%s",
		k->context->id, (int)v->proc.pid,
		users_name(&k->users, v->proc.uid), buf_str(&name),
		text_signal_name(sig), kill_outcome_names[v->outcome]);
	buf_free(&name);
}

/*
 * A descriptor is kept only where there will be something to wait for, and
 * while there is room: the others are signalled all the same, and stay so in
 * the answer, since nobody saw what became of them.
 */
static void
signal_all(struct killer *k)
{
	size_t held = 0;
	struct victim *v;

	for (v = k->victims; v < k->victims + k->n; v++) {
		v->outcome = take(k, v);
		if (v->outcome == KILL_SIGNALLED && k->request->wait > 0 &&
			held < k->room)
			held++;
		else
			fd_close(&v->fd);
	}
}

/* Waits for n of them, each at the index of its pollfd. */
static void
wait_for(struct pollfd *p, struct victim **of, size_t n, unsigned seconds)
{
	int64_t deadline = clock_ms() + seconds * 1000LL, left;
	size_t i, open = n;

	while (open > 0 && (left = deadline - clock_ms()) >= 0 &&
		(poll(p, n, (int)left) >= 0 || errno == EINTR)) {
		for (i = 0; i < n; i++) {
			if (p[i].fd == -1 || p[i].revents == 0)
				continue;
			of[i]->outcome = KILL_EXITED;
			fd_close(&of[i]->fd);
			p[i].fd = -1;
			open--;
		}
	}
}

/* Waits until those that are held have ended or the time is over. */
static int
wait_all(struct killer *k)
{
	struct pollfd *p = calloc(k->n + 1, sizeof(*p));
	struct victim **of = calloc(k->n + 1, sizeof(*of)), *v;
	bool ready = p != NULL && of != NULL;
	size_t n = 0;

	/* No more than are held: poll(2) takes only so many as may be open. */
	for (v = k->victims; ready && v < k->victims + k->n; v++) {
		if (v->fd == -1)
			continue;
		p[n] = (struct pollfd){ v->fd, POLLIN, 0 };
		of[n++] = v;
	}
	if (ready)
		wait_for(p, of, n, k->request->wait);
	free(p);
	free(of);
	return ready ? 0 : -1;
}

/*
 * Looks again before it signals again: in the time that they had, some may
 * have become what is not meant, or what this client may not kill.
 */
static void
escalate(struct killer *k)
{
	struct victim *v;

	for (v = k->victims; v < k->victims + k->n; v++) {
		if (v->fd == -1)
			continue;
		v->outcome = take_held(k, v, k->request->escalate);
		if (v->outcome == KILL_GONE)
			v->outcome =
				has_ended(v->fd) ? KILL_EXITED : KILL_SURVIVED;
		log_victim(k, v, k->request->escalate);
		if (v->outcome != KILL_SIGNALLED)
			fd_close(&v->fd);
	}
}

static int
see_off(struct killer *k)
{
	struct victim *v;

	if (wait_all(k) != 0)
		return -1;
	if (k->request->escalate != 0) {
		escalate(k);
		if (wait_all(k) != 0)
			return -1;
	}
	for (v = k->victims; v < k->victims + k->n; v++) {
		if (v->fd != -1)
			v->outcome = KILL_SURVIVED;
		fd_close(&v->fd);
	}
	return 0;
}

/* Written after signalling: a client that does not read delays nothing. */
static int
write_records(struct killer *k)
{
	char token[PROC_TOKEN_MAX];
	struct buf b = { 0 };
	struct victim *v;
	int result;

	wire_columns(&b, verb_kill_columns);
	for (v = k->victims; v < k->victims + k->n; v++) {
		proc_token(&v->proc, k->boot, token, sizeof(token));
		wire_record(&b);
		wire_putu(&b, (unsigned)v->proc.pid);
		wire_putu(&b, proc_started(&v->proc));
		wire_puts(&b, users_name(&k->users, v->proc.uid));
		wire_put(&b, v->name, v->namelen);
		wire_puts(&b, kill_outcome_names[v->outcome]);
		wire_puts(&b, token);
		wire_end(&b);
		k->context->report->outcomes[v->outcome]++;
		k->context->report->by_policy += v->by_policy;
	}
	result = b.failed ? -1 : fd_write_all(STDOUT_FILENO, b.data, b.len);
	buf_free(&b);
	return result;
}

static int
exit_status(const struct killer *k)
{
	const uint32_t *n = k->context->report->outcomes;
	size_t done = n[KILL_EXITED] + n[KILL_GONE] + n[KILL_WOULD_SIGNAL];

	/* With a wait it is not enough to have been signalled. */
	if (k->request->wait == 0)
		done += n[KILL_SIGNALLED];
	if (k->n == 0)
		return ACTION_NO_MATCH;
	if (done == k->n)
		return ACTION_OK;
	if (n[KILL_DENIED] + n[KILL_PROTECTED] == k->n)
		return ACTION_DENIED;
	return ACTION_PARTLY;
}

#define OTHER_FDS 16 /* /proc, the log, a name service; with some to spare */

/* Waiting for thousands needs as many descriptors. */
static void
raise_limit(struct killer *k)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0)
		return;
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur > OTHER_FDS)
		k->room = l.rlim_cur - OTHER_FDS;
}

int
action_kill(const struct action_context *c)
{
	struct killer k = { .context = c, .request = c->request };
	const char *user = c->request->strings[REQUEST_USER];
	struct victim *v;
	bool nobody = false;

	raise_limit(&k);
	if (user != NULL) {
		k.by_user = true;
		nobody = users_uid(user, &k.uid) != 0;
	}
	if ((k.dir = proc_open()) == -1 || proc_boot(k.boot) != 0 ||
		(!nobody && find_victims(&k) != 0))
		return ACTION_FAILED;
	signal_all(&k);
	if (!c->request->dry_run)
		for (v = k.victims; v < k.victims + k.n; v++)
			log_victim(&k, v, c->request->signal);
	if (!c->request->dry_run && c->request->wait > 0 && see_off(&k) != 0)
		return ACTION_FAILED;
	if (write_records(&k) != 0)
		return ACTION_FAILED;
	return exit_status(&k);
}
