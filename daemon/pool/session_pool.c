#include "pool/session_pool.h"

#include "clock.h"
#include "fd.h"
#include "fork_server.h"
#include "privsep.h"
#include "text.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

/* minimum milliseconds between two starts of a fork server */
#define PAUSE_MS 1000
#define RETRY_MS 100 /* milliseconds from a failed order to the next order */
/* maximum milliseconds to wait for a message of a fork server */
#define ANSWER_MS 5000

static void
init_pool(struct session_pool *s, const char *speaks, const char *program,
	bool mute)
{
	memset(s, 0, sizeof(*s));
	s->speaks = speaks;
	s->fork_client = (struct fork_client){
		.name = program, .mute = mute, .program = -1, .control = -1
	};
	TAILQ_INIT(&s->ready.head);
	TAILQ_INIT(&s->ordered.head);
}

void
session_pools_init(struct session_pool *pools, bool mute)
{
	init_pool(&pools[SESSION_POOL_PLAIN], "plain", "bridled-session", mute);
	init_pool(&pools[SESSION_POOL_TLS], "TLS", "bridled-session-tls", mute);
}

static void
append(struct spare_list *list, struct spare_session *spare)
{
	TAILQ_INSERT_TAIL(&list->head, spare, entry);
	list->n++;
}

static void
detach(struct spare_list *list, struct spare_session *spare)
{
	TAILQ_REMOVE(&list->head, spare, entry);
	list->n--;
}

static void
drop(struct spare_list *list, struct spare_session *spare)
{
	detach(list, spare);
	fd_close(&spare->channel);
	fd_close(&spare->remote);
	free(spare);
}

/*
 * Remove the open orders, because the fork server will not carry out these
 * orders. Keep the sessions that are ready.
 */
static void
drop_ordered(struct session_pool *s)
{
	while (!TAILQ_EMPTY(&s->ordered.head))
		drop(&s->ordered, TAILQ_FIRST(&s->ordered.head));
}

int
session_pool_start(
	struct session_pool *s, const char *host_key, struct buf *errors)
{
	if (s->state != SESSION_POOL_OFF)
		return 0;
	if (host_key != NULL && (s->host_key = strdup(host_key)) == NULL)
		buf_adds(errors, strerror(errno));
	else if (fork_client_start(&s->fork_client, s->host_key, errors) == 0 &&
		 fork_client_await(&s->fork_client, errors) == 0)
		s->state = SESSION_POOL_SERVING;
	if (s->state == SESSION_POOL_SERVING)
		return 0;
	buf_addc(errors, '\n');
	/*
	 * session_pool_stop() also closes the program's file, because the next
	 * start may find another file.
	 */
	session_pool_stop(s);
	return -1;
}

bool
session_pool_wanted(const struct session_pool *s)
{
	return s->state != SESSION_POOL_OFF;
}

bool
session_pool_can_take(const struct session_pool *s, unsigned reserved)
{
	return s->ready.n > reserved || s->error != 0;
}

int
session_pool_take(
	struct session_pool *s, int client, struct spare_session *taken)
{
	struct spare_session *spare = TAILQ_FIRST(&s->ready.head);

	if (spare == NULL) {
		errno = s->error != 0 ? s->error : EAGAIN;
		return -1;
	}
	if (privsep_give_client(spare->channel, client) != 0)
		return -1;
	*taken = *spare;
	detach(&s->ready, spare);
	free(spare);
	return 0;
}

static bool
is_stopped(pid_t pid)
{
	siginfo_t si = { .si_pid = 0 };

	return waitid(P_PID, (id_t)pid, &si, WSTOPPED | WNOHANG | WNOWAIT) ==
		       0 &&
	       si.si_pid == pid;
}

void
session_pool_drop_stopped(struct session_pool *s)
{
	struct spare_session *spare, *next;

	for (spare = TAILQ_FIRST(&s->ready.head); spare != NULL; spare = next) {
		next = TAILQ_NEXT(spare, entry);
		if (!is_stopped(spare->pid))
			continue;
		kill(spare->pid, SIGKILL);
		drop(&s->ready, spare);
	}
}

static void
log_failure(struct session_pool *s, struct logger *logger, const char *why)
{
	if (ratelimit_allows(&s->failure_log, clock_ms()))
		logger_log(logger, LOG_ERR, "no more %s sessions for now: %s",
			s->speaks, why);
}

static void
order_failed(struct session_pool *s, int why, struct logger *logger)
{
	s->error = why;
	s->order_again = clock_ms() + RETRY_MS;
	log_failure(s, logger, strerror(why));
}

static int
order_one(struct session_pool *s)
{
	struct spare_session *spare = calloc(1, sizeof(*spare));
	int pair[2], result;

	if (spare == NULL)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		free(spare);
		return -1;
	}
	spare->channel = pair[1];
	spare->remote = pair[0];
	if (s->ordered.n == 0)
		s->deadline = clock_ms() + ANSWER_MS;
	append(&s->ordered, spare);
	result = fd_send(s->fork_client.control, "", 1, NULL, 0, pair[0]);
	if (result != 0)
		drop(&s->ordered, spare);
	return result;
}

/*
 * Order several sessions together, so that this process and the fork server
 * wake up less often.
 */
void
session_pools_order(struct session_pool *pools, unsigned n, int64_t now,
	struct logger *logger)
{
	struct session_pool *s;

	for (s = pools; s < pools + SESSION_POOL_KINDS; s++) {
		while (s->ready.n > n)
			drop(&s->ready, TAILQ_FIRST(&s->ready.head));
		if (s->state != SESSION_POOL_SERVING || now < s->order_again ||
			s->ready.n + s->ordered.n > n / 2)
			continue;
		while (s->ready.n + s->ordered.n < n)
			if (order_one(s) != 0) {
				order_failed(s, errno, logger);
				break;
			}
	}
}

void
session_pools_retry(struct session_pool *pools)
{
	struct session_pool *s;

	for (s = pools; s < pools + SESSION_POOL_KINDS; s++)
		if (s->state == SESSION_POOL_SERVING && s->error != 0) {
			s->error = 0;
			s->order_again = 0;
		}
}

void
session_pool_limit_cpu(pid_t pid)
{
	struct rlimit limit;
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 ||
		clock_gettime(clock, &used) != 0 ||
		prlimit(pid, RLIMIT_CPU, NULL, &limit) != 0)
		return;
	limit.rlim_cur = (rlim_t)used.tv_sec + SESSION_CPU_SECONDS;
	if (limit.rlim_cur < limit.rlim_max)
		prlimit(pid, RLIMIT_CPU, &limit, NULL);
}

/*
 * True if the session has not been reaped yet. A session that died early may
 * have been reaped before the fork server's message arrived.
 */
static bool
is_child(pid_t pid)
{
	siginfo_t si;

	return waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Handle the fork server's answer to the oldest order. */
static void
receive_done(struct session_pool *s, const struct fork_done *done,
	struct logger *logger)
{
	struct spare_session *spare = TAILQ_FIRST(&s->ordered.head);

	s->deadline = clock_ms() + ANSWER_MS;
	if (done->pid <= 0) {
		order_failed(s, done->pid < 0 ? -done->pid : EPROTO, logger);
		drop(&s->ordered, spare);
		return;
	}
	s->error = 0;
	if (!is_child(done->pid)) {
		drop(&s->ordered, spare);
		return;
	}
	spare->pid = done->pid;
	session_pool_limit_cpu(spare->pid);
	detach(&s->ordered, spare);
	append(&s->ready, spare);
}

static void
cannot_serve(struct session_pool *s, struct logger *logger, struct buf *why)
{
	s->error = EAGAIN;
	log_failure(s, logger, buf_str(why));
}

/*
 * Close the channel to the fork server, and remove the open orders. Keep the
 * sessions that are ready.
 */
static void
lose_server(struct session_pool *s)
{
	fork_client_release(&s->fork_client);
	drop_ordered(s);
	s->state = SESSION_POOL_ENDING;
	s->deadline = clock_ms() + ANSWER_MS;
}

/*
 * Handle the hello message, if it has arrived. Clients stay in the backlog
 * until the fork server is ready or has failed.
 */
static void
receive_hello(struct session_pool *s, struct logger *logger)
{
	struct buf why = { 0 };
	int n = fork_client_hello(&s->fork_client, &why);

	if (n > 0) {
		s->error = 0;
		s->state = SESSION_POOL_SERVING;
	} else if (n < 0) {
		cannot_serve(s, logger, &why);
		lose_server(s);
	}
	buf_free(&why);
}

void
session_pool_read(struct session_pool *s, struct logger *logger)
{
	struct fork_done done;
	ssize_t n;

	if (s->state == SESSION_POOL_STARTING)
		receive_hello(s, logger);
	while (s->state == SESSION_POOL_SERVING) {
		n = fd_recv(s->fork_client.control, &done, sizeof(done),
			MSG_DONTWAIT, NULL);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n == sizeof(done) && !TAILQ_EMPTY(&s->ordered.head)) {
			receive_done(s, &done, logger);
			continue;
		}
		/*
		 * The fork server has ended, or ends because its channel is
		 * closed. session_pools_expire() starts it again.
		 */
		lose_server(s);
	}
}

int
session_pool_wait(
	struct session_pool *s, int64_t deadline, struct logger *logger)
{
	if (s->fork_client.control == -1 ||
		fd_wait(s->fork_client.control, POLLIN, deadline) != 0)
		return -1;
	session_pool_read(s, logger);
	return 0;
}

static struct spare_session *
find_spare(struct session_pool *s, pid_t pid)
{
	struct spare_session *spare;

	TAILQ_FOREACH (spare, &s->ready.head, entry)
		if (spare->pid == pid)
			break;
	return spare;
}

/* Log the unexpected end of a fork server or spare session. */
static void
log_end(struct ratelimit *limit, const char *what, pid_t pid, int code,
	int status, struct logger *logger)
{
	if (!ratelimit_allows(limit, clock_ms()))
		return;
	if (code == CLD_EXITED)
		logger_log(logger, LOG_ERR, "%s %d ended with exit status %d",
			what, (int)pid, status);
	else
		logger_log(logger, LOG_ERR, "%s %d died of signal %s", what,
			(int)pid, text_signal_name(status));
}

bool
session_pools_reaped(struct session_pool *pools, pid_t pid, int code,
	int status, struct logger *logger)
{
	struct spare_session *spare;
	struct session_pool *s;

	for (s = pools; s < pools + SESSION_POOL_KINDS; s++) {
		/*
		 * First read the messages, because a message may tell the pid
		 * of this child.
		 */
		session_pool_read(s, logger);
		if (s->fork_client.pid == pid) {
			log_end(&s->server_log, "the fork server", pid, code,
				status, logger);
			lose_server(s);
			s->fork_client.pid = 0;
			s->state = SESSION_POOL_DOWN;
			s->deadline = s->fork_client.started + PAUSE_MS;
			return true;
		}
		if ((spare = find_spare(s, pid)) != NULL) {
			log_end(&s->spare_log, "the spare session", pid, code,
				status, logger);
			/*
			 * Order a new session later, to prevent a tight loop if
			 * each spare session dies.
			 */
			s->order_again = clock_ms() + RETRY_MS;
			drop(&s->ready, spare);
			return true;
		}
	}
	return false;
}

static int64_t
deadline_of(const struct session_pool *s)
{
	return s->state == SESSION_POOL_SERVING && s->ordered.n == 0
		       ? CLOCK_NEVER
		       : s->deadline;
}

static void
start_server(struct session_pool *s, struct logger *logger)
{
	struct buf why = { 0 };

	if (fork_client_start(&s->fork_client, s->host_key, &why) == 0) {
		s->state = SESSION_POOL_STARTING;
		s->deadline = clock_ms() + ANSWER_MS;
	} else {
		cannot_serve(s, logger, &why);
		s->deadline = clock_ms() + PAUSE_MS;
	}
	buf_free(&why);
}

/*
 * Kill a fork server that does not answer, for example because of SIGSTOP.
 * session_pools_reaped() then handles the end of the fork server.
 */
static void
kill_server(struct session_pool *s, struct logger *logger)
{
	logger_log(logger, LOG_ERR,
		"the fork server %d does not answer: killed",
		(int)s->fork_client.pid);
	kill(s->fork_client.pid, SIGKILL);
	lose_server(s);
}

int64_t
session_pools_expire(
	struct session_pool *pools, int64_t now, struct logger *logger)
{
	int64_t next = CLOCK_NEVER;
	struct session_pool *s;

	for (s = pools; s < pools + SESSION_POOL_KINDS; s++) {
		if (s->state == SESSION_POOL_OFF)
			continue;
		if (now >= deadline_of(s) && s->state == SESSION_POOL_DOWN)
			start_server(s, logger);
		else if (now >= deadline_of(s))
			kill_server(s, logger);
		next = clock_earlier(next, deadline_of(s));
		if (s->order_again > now)
			next = clock_earlier(next, s->order_again);
	}
	return next;
}

void
session_pool_stop(struct session_pool *s)
{
	struct spare_session *spare;
	pid_t pid;

	s->state = SESSION_POOL_OFF;
	s->error = 0;
	fork_client_end(&s->fork_client);
	fd_close(&s->fork_client.program);
	drop_ordered(s);
	while ((spare = TAILQ_FIRST(&s->ready.head)) != NULL) {
		pid = spare->pid;
		drop(&s->ready, spare);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	free(s->host_key);
	s->host_key = NULL;
}

void
session_pools_close(struct session_pool *pools)
{
	session_pool_stop(&pools[SESSION_POOL_PLAIN]);
	session_pool_stop(&pools[SESSION_POOL_TLS]);
}
