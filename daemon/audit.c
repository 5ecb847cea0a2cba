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
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef _PATH_LOG
#define _PATH_LOG "/dev/log"
#endif

#define RESTART_MS 1000   /* between two starts of the logger */
#define CLOSE_MS 1000     /* for the last lines */
#define NAP_MS 5          /* of the logger, while lines gather in the pipe */
#define PIPE_ROOM 1048576 /* what any user may have: pipe(7) */
#define READ_MAX 65536
#define LINE_USUAL 400 /* bytes of a line about a request, and to spare */

/*
 * In the pipe a line is MARK, its priority with the facility, a space, the
 * text, LF; neither MARK nor LF stands in a text. So a logger that takes over
 * from one that died in the middle of a line finds the next.
 */
#define MARK '\001'
#define HEAD_BYTES 8 /* "\001191 " and to spare */

/* A line goes into the pipe at once, or not at all: pipe(7). */
#define LINE_MAX_BYTES (PIPE_BUF - HEAD_BYTES - 1)

/* Lines that are not in the log, in memory shared by all who write to it. */
struct losses {
	_Atomic uint64_t stuck;    /* no room in the pipe, or the logger died */
	_Atomic uint64_t reported; /* of these, already said in the log */
	_Atomic uint64_t unreached; /* the logger had nobody to hand them to */
	_Atomic uint64_t sent;      /* went into the pipe, and ... */
	_Atomic uint64_t done;      /* ... came to where they belong */
};

struct audit {
	int facility;
	int level;
	bool to_stderr;
	int in;   /* the pipe's reading end: a new logger goes on with it */
	int out;  /* the writing end */
	int room; /* in the pipe, bytes */
	pid_t logger;
	int64_t started;
	struct losses *losses;
};

static bool
log_reachable(void)
{
	struct sockaddr_un un;
	bool reached;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return false;
	/* EPROTOTYPE: one that takes streams, which syslog(3) tries next. */
	reached = net_unix(_PATH_LOG, &un) == 0 &&
		  (connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0 ||
			  errno == EPROTOTYPE);
	fd_close(&fd);
	return reached;
}

/*
 * syslog(3) cannot say that nobody listens, and a line that nobody hears
 * must be counted: so the logger looks first.
 */
static bool
write_line(struct audit *a, int priority, const char *text, bool reachable)
{
	if (a->to_stderr)
		return dprintf(STDERR_FILENO, "bridled: %s\n", text) > 0;
	if (reachable)
		syslog(priority, "%s", text);
	return reachable;
}

static void
report_unreached(struct audit *a, uint64_t *reported)
{
	uint64_t lost = atomic_load(&a->losses->unreached);
	char text[80];

	if (lost == *reported)
		return;
	snprintf(text, sizeof(text), "%llu log lines were lost: no %s",
		(unsigned long long)(lost - *reported),
		a->to_stderr ? "standard error" : _PATH_LOG);
	if (write_line(a, a->facility | LOG_WARNING, text, true))
		*reported = lost;
}

/* Takes one message of the pipe, without its LF, to where it belongs. */
static void
take_message(struct audit *a, const char *message, bool reachable)
{
	char *text;
	long priority;

	/* Else it is the rest of one whose beginning a dead logger took. */
	if (*message != MARK)
		return;
	priority = strtol(message + 1, &text, 10);
	if (!write_line(a, (int)priority, text + 1, reachable))
		atomic_fetch_add(&a->losses->unreached, 1);
	atomic_fetch_add(&a->losses->done, 1);
}

/* What was sent, is not in the pipe and not done has died with a logger. */
static void
count_dead(struct audit *a, const struct buf *b)
{
	/* In this order: what is sent from here on is of no account. */
	uint64_t sent = atomic_load(&a->losses->sent);
	uint64_t done = atomic_load(&a->losses->done);
	int left;

	if (sent <= done || b->len > 0 || ioctl(a->in, FIONREAD, &left) != 0 ||
		left > 0)
		return;
	atomic_fetch_add(&a->losses->stuck, sent - done);
	atomic_fetch_add(&a->losses->done, sent - done);
}

/* Writes out the whole lines at the start of the buffer. */
static void
write_lines(struct audit *a, struct buf *b, uint64_t *reported)
{
	bool reachable = a->to_stderr || log_reachable();
	size_t at = 0;
	char *end;

	if (reachable)
		report_unreached(a, reported);
	while ((end = memchr(b->data + at, '\n', b->len - at)) != NULL) {
		*end = '\0';
		take_message(a, b->data + at, reachable);
		at = (size_t)(end + 1 - b->data);
	}
	buf_drop(b, at);
}

/* The logger needs no input, and nobody shall wait for it to close these. */
static void
let_go_of_terminal(const struct audit *a)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null == -1)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (!a->to_stderr)
		dup2(null, STDERR_FILENO);
	close(null);
}

static void __attribute__((noreturn)) run_logger(struct audit *a)
{
	uint64_t reported = atomic_load(&a->losses->unreached);
	struct buf b = { 0 };
	ssize_t n;
	char *at;

	/* It ends when the last writer has gone, not by a signal. */
	sandbox_child(SANDBOX_LOGGER);
	let_go_of_terminal(a);
	openlog("bridled", LOG_NDELAY, LOG_DAEMON);
	while ((at = buf_room(&b, READ_MAX)) != NULL) {
		n = read(a->in, at, READ_MAX);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		b.len += (size_t)n;
		write_lines(a, &b, &reported);
		count_dead(a, &b);
		/* Who writes the next lines need not wake us for each. */
		if (n < READ_MAX)
			poll(NULL, 0, NAP_MS);
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
	page = mmap(NULL, sizeof(*a->losses), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED) {
		free(a);
		return NULL;
	}
	a->losses = page;
	a->to_stderr = to_stderr;
	audit_configure(a, facility, level);
	if (pipe2(pipes, O_CLOEXEC) != 0)
		goto fail;
	a->in = pipes[0];
	a->out = pipes[1];
	/* If it may not grow, lines are the sooner lost, and counted. */
	(void)fcntl(a->out, F_SETPIPE_SZ, PIPE_ROOM);
	a->room = fcntl(a->out, F_GETPIPE_SZ);
	if (fd_nonblock(a->out) != 0 || start_logger(a) != 0)
		goto fail;
	return a;
fail:
	fd_close(&pipes[0]);
	fd_close(&pipes[1]);
	munmap(page, sizeof(*a->losses));
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
	char head[HEAD_BYTES + 1];
	int n = snprintf(
		head, sizeof(head), "%c%d ", MARK, a->facility | priority);
	struct iovec iov[3] = { { head, (size_t)n },
		{ (void *)(uintptr_t)text, len }, { (char[]){ '\n' }, 1 } };

	if (writev(a->out, iov, 3) < 0)
		return -1;
	atomic_fetch_add(&a->losses->sent, 1);
	return 0;
}

static void
report_lost(struct audit *a)
{
	uint64_t lost = atomic_load(&a->losses->stuck);
	uint64_t reported = atomic_load(&a->losses->reported);
	char text[64];
	int n;

	if (lost <= reported)
		return;
	n = snprintf(text, sizeof(text), "%llu log lines were lost",
		(unsigned long long)(lost - reported));
	if (send_line(a, LOG_WARNING, text, (size_t)n) == 0)
		atomic_store(&a->losses->reported, lost);
}

/* A line whose bytes are safe to show. */
static void
put_line(struct audit *a, int priority, const struct buf *line)
{
	size_t len = line->len < LINE_MAX_BYTES ? line->len : LINE_MAX_BYTES;

	report_lost(a);
	if (line->failed || send_line(a, priority, line->data, len) != 0)
		atomic_fetch_add(&a->losses->stuck, 1);
}

/* Half of the pipe is for what is done, and for what goes wrong. */
static bool
has_room(const struct audit *a)
{
	int waiting;

	return ioctl(a->in, FIONREAD, &waiting) != 0 || waiting < a->room / 2;
}

bool
audit_logs(const struct audit *a, int priority)
{
	return priority <= a->level;
}

void
audit_log(struct audit *a, int priority, const char *fmt, ...)
{
	struct buf text = { 0 }, line = { 0 };
	va_list ap;

	if (priority > a->level)
		return;
	va_start(ap, fmt);
	buf_addv(&text, fmt, ap);
	va_end(ap);
	text_safe(&line, text.data, text.len);
	line.failed |= text.failed;
	put_line(a, priority, &line);
	buf_free(&text);
	buf_free(&line);
}

uint64_t
audit_lost(const struct audit *a)
{
	return atomic_load(&a->losses->stuck) +
	       atomic_load(&a->losses->unreached);
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
	return true;
}

/* One that dies at once, or cannot be forked, is not tried in a tight loop. */
int64_t
audit_deadline(const struct audit *a)
{
	return a->logger == -1 ? a->started + RESTART_MS : CLOCK_NEVER;
}

void
audit_expire(struct audit *a, int64_t now)
{
	if (now >= audit_deadline(a) && start_logger(a) == 0)
		audit_log(a, LOG_WARNING, "the logger died: started another");
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
	munmap(a->losses, sizeof(*a->losses));
	free(a);
}

static void
put_field(struct buf *line, const char *name, const char *value)
{
	buf_adds(line, name);
	text_safe(line, value, strlen(value));
}

static void
put_quoted(struct buf *line, const char *name, const char *value)
{
	buf_adds(line, name);
	buf_addc(line, '"');
	text_quoted(line, value, strlen(value));
	buf_addc(line, '"');
}

int
audit_priority(int code)
{
	return code >= 500 ? LOG_WARNING : LOG_INFO;
}

const char *const audit_verdict_names[] = { "allowed", "refused", "malformed" };

void
audit_request(struct audit *a, const struct audit_request *r, int code,
	const char *text)
{
	const struct verb *verb = r->verb ? verb_by_number(r->verb) : NULL;
	int priority = audit_priority(code);
	struct buf line = { 0 };

	if (priority > a->level)
		return;
	buf_room(&line, LINE_USUAL);
	put_field(&line, "id=", r->id);
	put_field(&line, " client=", r->client[0] ? r->client : "-");
	put_field(&line, " source=", r->source);
	put_field(&line, " verb=", r->explain ? "explain:" : "");
	put_field(&line, "", verb ? verb->name : "-");
	put_quoted(&line, " args=", r->args);
	put_field(&line, " verdict=", audit_verdict_names[r->verdict]);
	put_field(&line, " rule=", r->rule[0] ? r->rule : "-");
	buf_adds(&line, " result=");
	buf_addu(&line, (unsigned)code);
	buf_adds(&line, " ms=");
	buf_addu(&line, (unsigned long long)(clock_ms() - r->started));
	put_quoted(&line, " text=", text);
	if (r->acted || has_room(a))
		put_line(a, priority, &line);
	else
		atomic_fetch_add(&a->losses->stuck, 1);
	buf_free(&line);
}
