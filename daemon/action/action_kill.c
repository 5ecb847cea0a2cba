/*
 * The action of the verb `kill`. It opens a pidfd for each matching process,
 * reads the process again, and sends the signal by the pidfd. The signal
 * therefore cannot reach another process that later got the same pid.
 */
#include "action/action.h"

#include "action/proc.h"
#include "action/user_cache.h"
#include "buf.h"
#include "clock.h"
#include "fd.h"
#include "policy/policy.h"
#include "text.h"
#include "verbs.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <unistd.h>

struct victim {
	struct proc proc;
	int fd; /* pidfd of the process, or -1 */
	enum kill_outcome outcome;
	bool by_policy; /* the policy, not the kernel, denied the signal */
	char *name;
	size_t namelen;
};

struct killer {
	const struct action_context *context;
	const struct request *request;
	uid_t uid; /* uid of the requested user; valid if by_user */
	bool by_user;
	int dir;
	char boot[9];
	struct user_cache user_cache;
	struct buf cmdline;
	size_t room; /* maximum number of pidfds that are open at a time */
	size_t n;
	struct victim *victims;
};

/*
 * True if `only` contains the token of the process. `only` is the list in the
 * request's argument only=.
 */
static bool
has_token(const struct killer *k, const struct proc *p, const char *only)
{
	char token[PROC_TOKEN_MAX];
	size_t len, n;

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
 * Return 1 if the request has no argument only=, or if only= contains the token
 * of the process. Return 0 if only= does not contain the token. Return -1 if
 * descriptors or memory have run out.
 */
static int
is_named(const struct killer *k, struct proc *p)
{
	const char *only = k->request->strings[REQUEST_ONLY];
	int fd;

	if (only == NULL)
		return 1;
	if ((fd = pidfd_open(p->pid, 0)) == -1)
		return proc_is_short(errno) ? -1 : 0;
	p->inode = proc_inode(fd);
	fd_close(&fd);
	return has_token(k, p, only);
}

/*
 * Read the process with this pid into *p. Return 1 if the request matches the
 * process, 0 if not, or -1 if descriptors or memory have run out.
 */
static int
match_process(struct killer *k, pid_t pid, struct proc *p, const char **name,
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
	return strlen(wanted) == *len && memcmp(wanted, *name, *len) == 0
		       ? is_named(k, p)
		       : 0;
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
		found = match_process(k, pids[i], &p, &name, &len);
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
 * Ask the policy about the process's real, effective and saved user. Return the
 * strictest of the three decisions.
 */
static enum policy_target
judge_target(const struct killer *k, const struct victim *v,
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
 * Read the process again, check it, and send the signal by the open pidfd.
 * Return the outcome. Start time, name and user must still match, and the
 * policy must allow the signal. While the process lives, no other process has
 * its pid, so /proc/PID shows the process of the pidfd.
 */
static enum kill_outcome
signal_held(struct killer *k, struct victim *v, int sig)
{
	struct proc again;
	uid_t uids[PROC_UIDS];
	const char *name;
	size_t len;
	int found = match_process(k, v->proc.pid, &again, &name, &len);

	if (found > 0 && proc_uids(k->dir, v->proc.pid, uids) != 0)
		found = proc_is_short(errno) ? -1 : 0;
	if (found < 0)
		return KILL_SURVIVED;
	if (found == 0 || again.ticks != v->proc.ticks || has_ended(v->fd))
		return KILL_GONE;
	v->proc = again;
	v->proc.inode = proc_inode(v->fd);
	switch (judge_target(k, v, uids)) {
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
signal_victim(struct killer *k, struct victim *v)
{
	int sig = k->request->dry_run ? 0 : k->request->signal;

	if ((v->fd = pidfd_open(v->proc.pid, 0)) != -1)
		return signal_held(k, v, sig);
	/*
	 * pidfd_open(2) fails with EINVAL or ENOENT if a thread now has the
	 * pid.
	 */
	if (errno == ESRCH || errno == EINVAL || errno == ENOENT)
		return KILL_GONE;
	/* there is no free descriptor, so no signal was sent */
	return KILL_SURVIVED;
}

static void
log_victim(struct killer *k, const struct victim *v, int sig)
{
	struct buf name = { 0 };

	if (k->context->client->secret)
		/* hide the name, which is a secret argument of the request */
		buf_adds(&name, "(secret)");
	else
		text_quoted(&name, v->name, v->namelen);
	logger_log(k->context->logger, LOG_INFO,
		"id=%s pid=%d user=%s name=\"%s\" signal=%s outcome=%s",
		k->context->id, (int)v->proc.pid,
		user_cache_name(&k->user_cache, v->proc.uid), buf_str(&name),
		text_signal_name(sig), kill_outcome_names[v->outcome]);
	buf_free(&name);
}

/*
 * Send the signal to all processes. Keep a pidfd open only if the request waits
 * for the end of the process, and `room` allows one more. Without a pidfd, this
 * action cannot see the end of the process, so the outcome stays "signalled".
 */
static void
signal_all(struct killer *k)
{
	size_t held = 0;
	struct victim *v;

	for (v = k->victims; v < k->victims + k->n; v++) {
		v->outcome = signal_victim(k, v);
		if (v->outcome == KILL_SIGNALLED && k->request->wait > 0 &&
			held < k->room)
			held++;
		else
			fd_close(&v->fd);
	}
}

/*
 * Wait until n processes have ended, for at most `seconds`. p[i] holds the
 * pidfd of victims[i].
 */
static void
wait_for_ends(
	struct pollfd *p, struct victim **victims, size_t n, unsigned seconds)
{
	int64_t deadline = clock_ms() + seconds * 1000LL, left;
	size_t i, open = n;

	while (open > 0 && (left = deadline - clock_ms()) >= 0 &&
		(poll(p, n, (int)left) >= 0 || errno == EINTR)) {
		for (i = 0; i < n; i++) {
			if (p[i].fd == -1 || p[i].revents == 0)
				continue;
			victims[i]->outcome = KILL_EXITED;
			fd_close(&victims[i]->fd);
			p[i].fd = -1;
			open--;
		}
	}
}

/*
 * Wait until all processes with an open pidfd have ended, or the time of wait=
 * is over. Return 0, or -1 if memory has run out.
 */
static int
wait_all(struct killer *k)
{
	struct pollfd *p = calloc(k->n + 1, sizeof(*p));
	struct victim **victims = calloc(k->n + 1, sizeof(*victims)), *v;
	bool ready = p != NULL && victims != NULL;
	size_t n = 0;

	/*
	 * Pass only open pidfds, because poll(2) refuses more entries than
	 * RLIMIT_NOFILE.
	 */
	for (v = k->victims; ready && v < k->victims + k->n; v++) {
		if (v->fd == -1)
			continue;
		p[n] = (struct pollfd){ v->fd, POLLIN, 0 };
		victims[n++] = v;
	}
	if (ready)
		wait_for_ends(p, victims, n, k->request->wait);
	free(p);
	free(victims);
	return ready ? 0 : -1;
}

/*
 * Send the second signal to the processes that still live. Check each process
 * again, because its name or user may have changed since the first signal.
 */
static void
escalate(struct killer *k)
{
	struct victim *v;

	for (v = k->victims; v < k->victims + k->n; v++) {
		if (v->fd == -1)
			continue;
		v->outcome = signal_held(k, v, k->request->escalate);
		if (v->outcome == KILL_GONE)
			v->outcome =
				has_ended(v->fd) ? KILL_EXITED : KILL_SURVIVED;
		log_victim(k, v, k->request->escalate);
		if (v->outcome != KILL_SIGNALLED)
			fd_close(&v->fd);
	}
}

static int
wait_and_escalate(struct killer *k)
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

/*
 * Write the records of the reply, and count the outcomes. Call this after all
 * signals, because a client that does not read can block the write. Return 0,
 * or -1 on failure.
 */
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
		wire_puts(&b, user_cache_name(&k->user_cache, v->proc.uid));
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

	/* A request with wait= succeeds only if each process has ended. */
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

#define OTHER_FDS 16 /* descriptors for /proc, the log and the name service */

/*
 * Raise RLIMIT_NOFILE, because a request with wait= needs a pidfd for each
 * process. Set `room` to the number of pidfds that the new limit allows.
 */
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

/*
 * If the user is unknown, or no process in only= exists, write the status text
 * and return the status code. Otherwise return 0. `why` is the errno of the
 * user's look-up, or 0 if the look-up succeeded.
 */
static int
none_code(const struct killer *k, int why)
{
	struct action_report *r = k->context->report;
	const char *const *strings = k->request->strings;

	if (why != 0)
		return user_cache_unknown(
			strings[REQUEST_USER], why, r->text, sizeof(r->text));
	if (k->n > 0 || strings[REQUEST_ONLY] == NULL || r->hidden)
		return 0;
	snprintf(r->text, sizeof(r->text), KILL_NONE);
	return CODE_NO_MATCH;
}

int
action_kill(const struct action_context *c)
{
	struct killer k = { .context = c, .request = c->request };
	const char *user = c->request->strings[REQUEST_USER];
	struct victim *v;
	int why = 0; /* errno of the failed look-up of the user, or 0 */

	raise_limit(&k);
	if (user != NULL) {
		k.by_user = true;
		why = user_cache_uid(user, &k.uid) != 0 ? errno : 0;
	}
	if ((k.dir = proc_open()) == -1 || proc_boot(k.boot) != 0 ||
		(why == 0 && find_victims(&k) != 0))
		return ACTION_FAILED;
	c->report->hidden = why == 0 && proc_hides_others(k.dir);
	signal_all(&k);
	if (!c->request->dry_run)
		for (v = k.victims; v < k.victims + k.n; v++)
			log_victim(&k, v, c->request->signal);
	if (!c->request->dry_run && c->request->wait > 0 &&
		wait_and_escalate(&k) != 0)
		return ACTION_FAILED;
	if (write_records(&k) != 0)
		return ACTION_FAILED;
	c->report->code = none_code(&k, why);
	return c->report->code != 0 ? ACTION_FOUND : exit_status(&k);
}
