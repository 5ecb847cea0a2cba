#include "audit.h"

#include "buf.h"
#include "clock.h"
#include "fd.h"
#include "net.h"
#include "sandbox.h"
#include "text.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef _PATH_LOG
#define _PATH_LOG "/dev/log"
#endif

#define RESTART_MS 1000 /* between two starts of the logger */
#define CLOSE_MS 1000   /* for the last lines */

struct line {
	uint16_t len;
	uint16_t priority; /* with the facility */
};

/* A line and its head go into the pipe at once, or not at all: pipe(7). */
#define LINE_MAX_BYTES (PIPE_BUF - sizeof(struct line))

struct audit {
	int facility;
	int level;
	bool to_stderr;
	int in;  /* the pipe's reading end: a new logger goes on with it */
	int out; /* the writing end */
	pid_t logger;
	int64_t started;
	uint64_t lost;               /* there was no room in the pipe */
	uint64_t reported;           /* of these, already said in the log */
	_Atomic uint64_t *unreached; /* shared: the logger lost these */
};

static bool
log_reachable(void)
{
	struct sockaddr_un un;
	bool reached;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return false;
	reached = net_unix(_PATH_LOG, &un) == 0 &&
		  connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0;
	fd_close(&fd);
	return reached;
}

/*
 * syslog(3) cannot say that nobody listens, and a line that nobody hears
 * must be counted: so the logger looks first.
 */
static void
write_line(struct audit *a, int priority, const char *text, bool reachable)
{
	if (a->to_stderr)
		dprintf(STDERR_FILENO, "bridled: %s\n", text);
	else if (reachable)
		syslog(priority, "%s", text);
	else
		atomic_fetch_add(a->unreached, 1);
}

static void
report_unreached(struct audit *a, uint64_t *reported)
{
	uint64_t lost = atomic_load(a->unreached);
	char text[80];

	if (lost == *reported)
		return;
	snprintf(text, sizeof(text), "%llu log lines were lost: no %s",
		(unsigned long long)(lost - *reported), _PATH_LOG);
	write_line(a, a->facility | LOG_WARNING, text, true);
	*reported = lost;
}

/* Writes out the whole lines at the start of the buffer. */
static void
write_lines(struct audit *a, struct buf *b, uint64_t *reported)
{
	bool reachable = a->to_stderr || log_reachable();
	char text[PIPE_BUF];
	struct line head;
	size_t at = 0;

	if (reachable)
		report_unreached(a, reported);
	while (b->len - at >= sizeof(head)) {
		memcpy(&head, b->data + at, sizeof(head));
		if (b->len - at - sizeof(head) < head.len)
			break;
		memcpy(text, b->data + at + sizeof(head), head.len);
		text[head.len] = '\0';
		write_line(a, head.priority, text, reachable);
		at += sizeof(head) + head.len;
	}
	buf_drop(b, at);
}

static void __attribute__((noreturn)) run_logger(struct audit *a)
{
	uint64_t reported = atomic_load(a->unreached);
	struct buf b = { 0 };
	ssize_t n;
	char *at;

	/* It ends when the last writer has gone, not by a signal. */
	sandbox_child(SANDBOX_LOGGER);
	openlog("bridled", LOG_NDELAY, LOG_DAEMON);
	while ((at = buf_room(&b, PIPE_BUF)) != NULL) {
		n = read(a->in, at, PIPE_BUF);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		b.len += (size_t)n;
		write_lines(a, &b, &reported);
	}
	_exit(0);
}

static int
start_logger(struct audit *a)
{
	a->started = clock_ms();
	a->logger = fork();
	if (a->logger == 0) {
		int in = a->in;

		/* Keeps 0 to 2 and the pipe; not its own writing end. */
		if (dup2(in, 3) == -1)
			_exit(1);
		close_range(4, ~0u, 0);
		a->in = 3;
		run_logger(a);
	}
	return a->logger == -1 ? -1 : 0;
}

struct audit *
audit_open(int facility, int level, bool to_stderr)
{
	struct audit *a = calloc(1, sizeof(*a));
	int pipes[2] = { -1, -1 };
	void *page;

	if (a == NULL)
		return NULL;
	page = mmap(NULL, sizeof(*a->unreached), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED) {
		free(a);
		return NULL;
	}
	a->unreached = page;
	a->to_stderr = to_stderr;
	audit_configure(a, facility, level);
	if (pipe2(pipes, O_CLOEXEC) != 0)
		goto fail;
	a->in = pipes[0];
	a->out = pipes[1];
	if (fd_nonblock(a->out) != 0 || start_logger(a) != 0)
		goto fail;
	return a;
fail:
	fd_close(&pipes[0]);
	fd_close(&pipes[1]);
	munmap(page, sizeof(*a->unreached));
	free(a);
	return NULL;
}

void
audit_configure(struct audit *a, int facility, int level)
{
	a->facility = facility;
	a->level = level;
}

static int
send_line(struct audit *a, int priority, const char *text, size_t len)
{
	char message[PIPE_BUF];
	struct line head = { (uint16_t)len,
		(uint16_t)(a->facility | priority) };

	memcpy(message, &head, sizeof(head));
	memcpy(message + sizeof(head), text, len);
	return write(a->out, message, sizeof(head) + len) < 0 ? -1 : 0;
}

static void
report_lost(struct audit *a)
{
	char text[64];
	int n;

	if (a->lost == a->reported)
		return;
	n = snprintf(text, sizeof(text), "%llu log lines were lost: log stuck",
		(unsigned long long)(a->lost - a->reported));
	if (send_line(a, LOG_WARNING, text, (size_t)n) == 0)
		a->reported = a->lost;
}

void
audit_log(struct audit *a, int priority, const char *fmt, ...)
{
	struct buf safe = { 0 };
	va_list ap;
	char *line;
	int n;

	if (priority > a->level)
		return;
	va_start(ap, fmt);
	n = vasprintf(&line, fmt, ap);
	va_end(ap);
	if (n < 0) {
		a->lost++;
		return;
	}
	text_safe(&safe, line, (size_t)n);
	free(line);
	if (safe.len > LINE_MAX_BYTES - 1)
		safe.len = LINE_MAX_BYTES - 1;
	report_lost(a);
	if (safe.failed || send_line(a, priority, safe.data, safe.len) != 0)
		a->lost++;
	buf_free(&safe);
}

uint64_t
audit_lost(const struct audit *a)
{
	return a->lost + atomic_load(a->unreached);
}

int
audit_fd(const struct audit *a)
{
	return a->out;
}

void
audit_moved(struct audit *a, int fd)
{
	a->out = fd;
}

bool
audit_reaped(struct audit *a, pid_t pid)
{
	if (pid != a->logger)
		return false;
	a->logger = -1;
	/* One that dies at once must not be started in a tight loop. */
	if (clock_ms() - a->started >= RESTART_MS && start_logger(a) == 0)
		audit_log(a, LOG_WARNING, "the logger died: started another");
	return true;
}

void
audit_close(struct audit *a)
{
	int64_t deadline = clock_ms() + CLOSE_MS;

	if (a == NULL)
		return;
	fd_close(&a->out);
	while (a->logger > 0 && clock_ms() < deadline) {
		if (waitpid(a->logger, NULL, WNOHANG) != 0)
			a->logger = -1;
		else
			poll(NULL, 0, 5);
	}
	if (a->logger > 0)
		kill(a->logger, SIGKILL);
	fd_close(&a->in);
	munmap(a->unreached, sizeof(*a->unreached));
	free(a);
}

void
audit_request(struct audit *a, const struct audit_request *r, int code,
	const char *text)
{
	struct buf args = { 0 };
	const struct verb *verb = r->verb ? verb_by_number(r->verb) : NULL;

	text_safe(&args, r->args, strlen(r->args));
	audit_log(a, code >= 500 ? LOG_WARNING : LOG_INFO,
		"id=%s client=%s source=%s verb=%s%s args=\"%s\" verdict=%s "
		"rule=%s result=%d ms=%lld text=\"%s\"",
		r->id, r->client[0] ? r->client : "-", r->source,
		r->explain ? "explain:" : "", verb ? verb->name : "-",
		buf_str(&args), r->verdict, r->rule[0] ? r->rule : "-", code,
		(long long)(clock_ms() - r->started), text);
	buf_free(&args);
}
