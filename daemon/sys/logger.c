#include "sys/logger.h"

#include "buf.h"
#include "clock.h"
#include "fd.h"
#include "net.h"
#include "sys/sandbox.h"
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

/* minimum milliseconds between two starts of the logger */
#define RESTART_MS 1000
#define CLOSE_MS 1000 /* maximum milliseconds for writing the last lines */
#define NAP_MS 5      /* milliseconds that the logger sleeps after a read */
/* size of the pipe in bytes, the maximum for ordinary users (pipe(7)) */
#define PIPE_ROOM 1048576
#define READ_MAX 65536
/* initial buffer size in bytes; most lines are shorter */
#define LINE_USUAL 400

/*
 * A line in the pipe has this format: MARK, the priority and facility as a
 * number, a space, the text, LF. A text contains neither MARK nor LF. If a
 * logger dies in the middle of a line, the next logger ignores the rest, which
 * lacks MARK.
 */
#define MARK '\001'
#define HEAD_BYTES 8 /* maximum bytes of MARK, the number and the space */

/*
 * The maximum length of a text in bytes. A whole line must fit into PIPE_BUF
 * bytes, because only such a write is atomic (pipe(7)).
 */
#define LINE_MAX_BYTES (PIPE_BUF - HEAD_BYTES - 1)

/*
 * Counters of log lines, in memory that the logger shares with all processes
 * that write to the log.
 */
struct losses {
	/* number of lines lost because the pipe was full or the logger died */
	_Atomic uint64_t stuck;
	/* value of `stuck` when lost lines were last reported */
	_Atomic uint64_t reported;
	/* number of lines that the logger could not write to the log */
	_Atomic uint64_t unreached;
	_Atomic uint64_t sent; /* number of lines written to the pipe */
	/* number of lines that the logger has read from the pipe */
	_Atomic uint64_t done;
};

struct logger {
	int facility;
	int level;
	bool to_stderr;
	int in;   /* reading end of the pipe; stays open for the next logger */
	int out;  /* writing end of the pipe */
	int room; /* capacity of the pipe in bytes */
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
	/*
	 * EPROTOTYPE means that the log has a stream socket. syslog(3) tries a
	 * stream socket next.
	 */
	reached = net_unix(_PATH_LOG, &un) == 0 &&
		  (connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0 ||
			  errno == EPROTOTYPE);
	fd_close(&fd);
	return reached;
}

/*
 * Write one line to the log. Return false if the line is lost. syslog(3)
 * reports no error if no program listens at the socket of the log. The caller
 * therefore calls log_reachable() first, and passes the result as `reachable`.
 */
static bool
write_line(struct logger *a, int priority, const char *text, bool reachable)
{
	if (a->to_stderr)
		return dprintf(STDERR_FILENO, "bridled: %s\n", text) > 0;
	if (reachable)
		syslog(priority, "%s", text);
	return reachable;
}

static void
report_unreached(struct logger *a, uint64_t *reported)
{
	uint64_t lost = atomic_load(&a->losses->unreached);
	char text[80];

	if (lost == *reported)
		return;
	snprintf(text, sizeof(text),
		"%llu log lines were lost: could not write to %s",
		(unsigned long long)(lost - *reported),
		a->to_stderr ? "standard error" : _PATH_LOG);
	if (write_line(a, a->facility | LOG_WARNING, text, true))
		*reported = lost;
}

/*
 * Write one line of the pipe to the log. The caller has replaced the LF of the
 * line by NUL.
 */
static void
take_message(struct logger *a, const char *message, bool reachable)
{
	char *text;
	long priority;

	/*
	 * Skip the rest of a line. An earlier logger has read the beginning of
	 * this line and died.
	 */
	if (*message != MARK)
		return;
	priority = strtol(message + 1, &text, 10);
	if (!write_line(a, (int)priority, text + 1, reachable))
		atomic_fetch_add(&a->losses->unreached, 1);
	atomic_fetch_add(&a->losses->done, 1);
}

/*
 * Count the lines that an earlier logger had read from the pipe but not handled
 * when it died. If the pipe and the buffer are empty, the number of these lines
 * is `sent` minus `done`.
 */
static void
count_dead(struct logger *a, const struct buf *b)
{
	/*
	 * Read `sent` before `done`. In the other order, a line sent between
	 * the two reads would count as lost.
	 */
	uint64_t sent = atomic_load(&a->losses->sent);
	uint64_t done = atomic_load(&a->losses->done);
	int left;

	if (sent <= done || b->len > 0 || ioctl(a->in, FIONREAD, &left) != 0 ||
		left > 0)
		return;
	atomic_fetch_add(&a->losses->stuck, sent - done);
	atomic_fetch_add(&a->losses->done, sent - done);
}

/*
 * Write the complete lines in the buffer to the log, and remove them from the
 * buffer.
 */
static void
write_lines(struct logger *a, struct buf *b, uint64_t *reported)
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

static void __attribute__((noreturn)) run_logger(struct logger *a)
{
	uint64_t reported = atomic_load(&a->losses->unreached);
	struct buf b = { 0 };
	ssize_t n;
	char *at;

	/*
	 * The logger ignores SIGTERM, and ends when the last writer closes the
	 * pipe.
	 */
	sandbox_child(SANDBOX_LOGGER);
	sandbox_silence(
		STDIN_FILENO, a->to_stderr ? STDOUT_FILENO : STDERR_FILENO);
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
		/*
		 * Sleep for a short time, so that more lines arrive and the
		 * next read(2) takes many lines.
		 */
		if (n < READ_MAX)
			poll(NULL, 0, NAP_MS);
	}
	_exit(0);
}

static int
start_logger(struct logger *a)
{
	a->started = clock_ms();
	a->logger = fork();
	if (a->logger == 0) {
		int in = a->in;

		/*
		 * Close all descriptors except 0 to 2 and the reading end of
		 * the pipe.
		 */
		if (dup2(in, 3) == -1)
			_exit(1);
		close_range(4, ~0u, 0);
		a->in = 3;
		run_logger(a);
	}
	return a->logger == -1 ? -1 : 0;
}

struct logger *
logger_open(int facility, int level, bool to_stderr)
{
	struct logger *a = calloc(1, sizeof(*a));
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
	logger_configure(a, facility, level);
	if (pipe2(pipes, O_CLOEXEC) != 0)
		goto fail;
	a->in = pipes[0];
	a->out = pipes[1];
	/*
	 * Ignore a failure. With a smaller pipe, the daemon loses lines
	 * earlier, and counts these lines.
	 */
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
logger_configure(struct logger *a, int facility, int level)
{
	a->facility = facility;
	a->level = level;
}

static int
send_line(struct logger *a, int priority, const char *text, size_t len)
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
report_lost(struct logger *a)
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

/*
 * Write a line to the pipe, or count the line as lost. All bytes of the line
 * must be safe to show.
 */
static void
put_line(struct logger *a, int priority, const struct buf *line)
{
	size_t len = line->len < LINE_MAX_BYTES ? line->len : LINE_MAX_BYTES;

	report_lost(a);
	if (line->failed || send_line(a, priority, line->data, len) != 0)
		atomic_fetch_add(&a->losses->stuck, 1);
}

/*
 * True if at least half of the pipe is free. The other half is reserved for
 * lines about actions and for the messages of logger_log().
 */
static bool
has_room(const struct logger *a)
{
	int waiting;

	return ioctl(a->in, FIONREAD, &waiting) != 0 || waiting < a->room / 2;
}

bool
logger_logs(const struct logger *a, int priority)
{
	return priority <= a->level;
}

void
logger_log(struct logger *a, int priority, const char *fmt, ...)
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
logger_lost(const struct logger *a)
{
	return atomic_load(&a->losses->stuck) +
	       atomic_load(&a->losses->unreached);
}

int
logger_fd(const struct logger *a)
{
	return a->out;
}

void
logger_moved(struct logger *a, int fd)
{
	a->out = fd;
}

bool
logger_reaped(struct logger *a, pid_t pid)
{
	if (pid != a->logger)
		return false;
	a->logger = -1;
	return true;
}

/*
 * Wait RESTART_MS between two starts. Otherwise there is a tight loop if
 * fork(2) fails, or if each new logger dies.
 */
int64_t
logger_expire(struct logger *a, int64_t now)
{
	if (a->logger == -1 && now >= a->started + RESTART_MS &&
		start_logger(a) == 0)
		logger_log(a, LOG_WARNING, "the logger died: started another");
	return a->logger == -1 ? a->started + RESTART_MS : CLOCK_NEVER;
}

void
logger_close(struct logger *a)
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
logger_priority(int code)
{
	return code >= 500 ? LOG_WARNING : LOG_INFO;
}

const char *const logger_verdict_names[] = { "allowed", "refused",
	"malformed" };

void
logger_request(struct logger *a, const struct logger_request *r, int code,
	const char *text)
{
	const struct verb *verb = r->verb ? verb_by_number(r->verb) : NULL;
	int priority = logger_priority(code);
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
	put_field(&line, " verdict=", logger_verdict_names[r->verdict]);
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
