#include "spares.h"

#include "ask.h"
#include "clock.h"
#include "fd.h"
#include "fork_server.h"
#include "text.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define PAUSE_MS 1000  /* from one start of a fork server to the next */
#define RETRY_MS 100   /* between two orders that fail */
#define LOG_MS 10000   /* between two lines about the like */
#define ANSWER_MS 5000 /* for a fork server to say anything that is due */

static void
init_stock(struct stock *s, const char *speaks, const char *program, bool mute)
{
	memset(s, 0, sizeof(*s));
	s->speaks = speaks;
	s->forker = (struct forker){
		.name = program, .mute = mute, .program = -1, .control = -1
	};
	TAILQ_INIT(&s->ready.head);
	TAILQ_INIT(&s->ordered.head);
}

void
spares_init(struct spares *spares, bool mute)
{
	init_stock(&spares->of[SPARES_PLAIN], "plain", "bridled-session", mute);
	init_stock(&spares->of[SPARES_TLS], "TLS", "bridled-session-tls", mute);
}

static void
append(struct spare_list *list, struct spare *spare)
{
	TAILQ_INSERT_TAIL(&list->head, spare, entry);
	list->n++;
}

static void
take_out(struct spare_list *list, struct spare *spare)
{
	TAILQ_REMOVE(&list->head, spare, entry);
	list->n--;
}

static void
forget(struct spare_list *list, struct spare *spare)
{
	take_out(list, spare);
	fd_close(&spare->ask);
	free(spare);
}

/* What was ordered never comes; those that are there serve on. */
static void
forget_ordered(struct stock *s)
{
	while (!TAILQ_EMPTY(&s->ordered.head))
		forget(&s->ordered, TAILQ_FIRST(&s->ordered.head));
}

int
spares_start(struct spares *spares, enum spares_kind kind, const char *host_key,
	struct buf *errors)
{
	struct stock *s = &spares->of[kind];

	if (s->wanted)
		return 0;
	if (host_key != NULL && (s->host_key = strdup(host_key)) == NULL)
		buf_adds(errors, strerror(errno));
	else if (forker_start(&s->forker, s->host_key, errors) == 0 &&
		 forker_await(&s->forker, errors) == 0)
		s->wanted = true;
	if (s->wanted)
		return 0;
	buf_addc(errors, '\n');
	spares_stop(spares, kind); /* another program may be there next time */
	return -1;
}

bool
spares_wanted(const struct spares *spares, enum spares_kind kind)
{
	return spares->of[kind].wanted;
}

bool
spares_can_take(const struct spares *spares, enum spares_kind kind)
{
	const struct stock *s = &spares->of[kind];

	return s->ready.n > 0 || s->failed != 0;
}

int
spares_take(struct spares *spares, enum spares_kind kind, int client,
	pid_t *pid, int *ask)
{
	struct stock *s = &spares->of[kind];
	struct spare *spare;

	while ((spare = TAILQ_FIRST(&s->ready.head)) != NULL) {
		if (ask_give_client(spare->ask, client) == 0) {
			*pid = spare->pid;
			*ask = spare->ask;
			take_out(&s->ready, spare);
			free(spare);
			return 0;
		}
		forget(&s->ready, spare); /* it is dead */
	}
	errno = s->failed != 0 ? s->failed : EPIPE;
	return -1;
}

void
spares_bury(struct spares *spares, enum spares_kind kind)
{
	struct stock *s = &spares->of[kind];
	struct spare *spare;
	char byte;

	while ((spare = TAILQ_FIRST(&s->ready.head)) != NULL &&
		recv(spare->ask, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		forget(&s->ready, spare);
}

static void
cannot(struct stock *s, int64_t now, struct audit *audit, const char *why)
{
	if (now < s->order_quiet)
		return;
	s->order_quiet = now + LOG_MS;
	audit_log(audit, LOG_ERR, "no more %s sessions for now: %s", s->speaks,
		why);
}

static void
order_failed(struct stock *s, int why, struct audit *audit)
{
	int64_t now = clock_ms();

	s->failed = why;
	s->again = now + RETRY_MS;
	cannot(s, now, audit, strerror(why));
}

static int
order_one(struct stock *s)
{
	struct spare *spare = calloc(1, sizeof(*spare));
	int pair[2], result;

	if (spare == NULL)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		free(spare);
		return -1;
	}
	spare->ask = pair[1];
	if (s->ordered.n == 0)
		s->answer_by = clock_ms() + ANSWER_MS;
	append(&s->ordered, spare);
	result = fd_send(s->forker.control, "", 1, NULL, 0, pair[0]);
	fd_close(&pair[0]);
	if (result != 0)
		forget(&s->ordered, spare);
	return result;
}

/* Several at a time, so that neither side wakes the other for each. */
void
spares_order(
	struct spares *spares, unsigned n, int64_t now, struct audit *audit)
{
	struct stock *s;

	for (s = spares->of; s < spares->of + SPARES_KINDS; s++) {
		while (s->ready.n > n)
			forget(&s->ready, TAILQ_FIRST(&s->ready.head));
		if (!s->forker.serves || now < s->again ||
			s->ready.n + s->ordered.n > n / 2)
			continue;
		while (s->ready.n + s->ordered.n < n)
			if (order_one(s) != 0) {
				order_failed(s, errno, audit);
				break;
			}
	}
}

void
spares_retry(struct spares *spares)
{
	struct stock *s;

	for (s = spares->of; s < spares->of + SPARES_KINDS; s++)
		if (s->forker.serves && s->failed != 0) {
			s->failed = 0;
			s->again = 0;
		}
}

/* One that has died at birth may have been reaped before we knew of it. */
static bool
is_child(pid_t pid)
{
	siginfo_t si;

	return waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* What has become of the first that was ordered. */
static void
take_done(struct stock *s, const struct fork_done *done, struct audit *audit)
{
	struct spare *spare = TAILQ_FIRST(&s->ordered.head);

	s->answer_by = clock_ms() + ANSWER_MS;
	if (done->pid <= 0) {
		order_failed(s, done->pid < 0 ? -done->pid : EPROTO, audit);
		forget(&s->ordered, spare);
		return;
	}
	s->failed = 0;
	if (!is_child(done->pid)) {
		forget(&s->ordered, spare);
		return;
	}
	spare->pid = done->pid;
	take_out(&s->ordered, spare);
	append(&s->ready, spare);
}

static void
cannot_serve(struct stock *s, struct audit *audit, struct buf *why)
{
	s->failed = EAGAIN;
	cannot(s, clock_ms(), audit, buf_str(why));
}

/* Who comes meanwhile waits, until it is known that it cannot serve. */
static void
greet(struct stock *s, struct audit *audit)
{
	struct buf why = { 0 };
	int n = forker_hello(&s->forker, &why);

	if (n > 0)
		s->failed = 0;
	if (n < 0) {
		cannot_serve(s, audit, &why);
		forker_let_go(&s->forker);
	}
	buf_free(&why);
}

void
spares_read(struct stock *s, struct audit *audit)
{
	struct fork_done done;
	ssize_t n;

	if (s->forker.control != -1 && !s->forker.serves)
		greet(s, audit);
	while (s->forker.serves) {
		n = fd_recv(s->forker.control, &done, sizeof(done),
			MSG_DONTWAIT, NULL);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n == sizeof(done) && !TAILQ_EMPTY(&s->ordered.head)) {
			take_done(s, &done, audit);
			continue;
		}
		/* It has ended, or will now; then it is started again. */
		forker_let_go(&s->forker);
		forget_ordered(s);
	}
}

int
spares_wait(struct spares *spares, enum spares_kind kind, int64_t deadline,
	struct audit *audit)
{
	struct stock *s = &spares->of[kind];

	if (s->forker.control == -1 ||
		fd_wait(s->forker.control, POLLIN, deadline) != 0)
		return -1;
	spares_read(s, audit);
	return 0;
}

static struct spare *
find(struct stock *s, pid_t pid)
{
	struct spare *spare;

	TAILQ_FOREACH (spare, &s->ready.head, entry)
		if (spare->pid == pid)
			break;
	return spare;
}

/*
 * It has not been asked to go. That they die one after another is no reason to
 * fill the log.
 */
static void
report(int64_t *quiet, const char *what, pid_t pid, int code, int status,
	struct audit *audit)
{
	int64_t now = clock_ms();

	if (now < *quiet)
		return;
	*quiet = now + LOG_MS;
	if (code == CLD_EXITED)
		audit_log(audit, LOG_ERR, "%s %d ended with %d", what, (int)pid,
			status);
	else
		audit_log(audit, LOG_ERR, "%s %d died of signal %s", what,
			(int)pid, text_signal_name(status));
}

bool
spares_reaped(struct spares *spares, pid_t pid, int code, int status,
	struct audit *audit)
{
	struct spare *spare;
	struct stock *s;

	for (s = spares->of; s < spares->of + SPARES_KINDS; s++) {
		/* Its number may be on its way to us. */
		spares_read(s, audit);
		if (s->forker.pid == pid) {
			report(&s->server_quiet, "the fork server", pid, code,
				status, audit);
			forker_let_go(&s->forker);
			forget_ordered(s);
			s->forker.pid = 0;
			return true;
		}
		if ((spare = find(s, pid)) != NULL) {
			report(&s->spare_quiet, "the spare session", pid, code,
				status, audit);
			s->again = clock_ms() + RETRY_MS; /* nor to spin */
			forget(&s->ready, spare);
			return true;
		}
	}
	return false;
}

/* Its start, or its answer; CLOCK_NEVER if there is neither to wait for. */
static int64_t
due(const struct stock *s)
{
	if (s->forker.pid == 0)
		return s->forker.started + PAUSE_MS;
	if (!s->forker.serves)
		return s->forker.started + ANSWER_MS;
	return s->ordered.n > 0 ? s->answer_by : CLOCK_NEVER;
}

/* Somebody has stopped it, say: it is killed, and reaped as any other. */
static void
end_silence(struct stock *s, struct audit *audit)
{
	audit_log(audit, LOG_ERR, "the fork server %d does not answer: killed",
		(int)s->forker.pid);
	kill(s->forker.pid, SIGKILL);
	forker_let_go(&s->forker);
	forget_ordered(s);
	s->forker.started = clock_ms();
}

void
spares_expire(struct spares *spares, int64_t now, struct audit *audit)
{
	struct buf why = { 0 };
	struct stock *s;

	for (s = spares->of; s < spares->of + SPARES_KINDS; s++) {
		if (!s->wanted || now < due(s))
			continue;
		if (s->forker.pid != 0)
			end_silence(s, audit);
		else if (forker_start(&s->forker, s->host_key, &why) != 0)
			cannot_serve(s, audit, &why);
		buf_reset(&why);
	}
	buf_free(&why);
}

int64_t
spares_deadline(const struct spares *spares, int64_t now)
{
	int64_t first = CLOCK_NEVER, at;
	const struct stock *s;

	for (s = spares->of; s < spares->of + SPARES_KINDS; s++) {
		if (!s->wanted)
			continue;
		if ((at = due(s)) < first)
			first = at;
		if (s->again > now && s->again < first)
			first = s->again;
	}
	return first;
}

void
spares_stop(struct spares *spares, enum spares_kind kind)
{
	struct stock *s = &spares->of[kind];
	pid_t pid;

	s->wanted = false;
	forker_end(&s->forker);
	fd_close(&s->forker.program);
	forget_ordered(s);
	while (!TAILQ_EMPTY(&s->ready.head)) {
		pid = TAILQ_FIRST(&s->ready.head)->pid;
		forget(&s->ready, TAILQ_FIRST(&s->ready.head));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	free(s->host_key);
	s->host_key = NULL;
}

void
spares_close(struct spares *spares)
{
	spares_stop(spares, SPARES_PLAIN);
	spares_stop(spares, SPARES_TLS);
}
