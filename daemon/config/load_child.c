#include "config/load_child.h"

#include "clock.h"
#include "conf.h"
#include "fd.h"
#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* maximum bytes of all errors; warnings have the same limit */
#define REMARKS_MAX 65536
#define ANSWER_MAX (4 * 1024 * 1024)
#define READ_SIZE 65536
/* bytes that the child may allocate after its start */
#define MEMORY_MORE (256u << 20)

/*
 * The parts of the child's answer, in the order in which the child sends them.
 */
enum part { FILES, IDS, ACCOUNTS, ERRORS, WARNINGS, PARTS };

/* The beginning of the child's answer, before its parts. */
struct head {
	uint32_t good; /* 1 if the configuration has no errors, otherwise 0 */
	uint32_t len[PARTS];
};

/* Functions for the child. */

/*
 * Return the size of the data that this process has mapped, in bytes. Return 0
 * if the size is unknown.
 */
static rlim_t
mapped_data(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%*u %*u %*u %*u %*u %lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/*
 * Limit the CPU time and the memory of this child, because a library of a name
 * service may loop for ever.
 */
static void
limit_resources(void)
{
	const rlim_t memory = mapped_data() + MEMORY_MORE;
	const struct rlimit data = { memory, memory };
	const struct rlimit cpu = { LOAD_MS / 1000, LOAD_MS / 1000 };

	setrlimit(RLIMIT_CPU, &cpu);
	setrlimit(RLIMIT_DATA, &data);
}

/* Remove lines at the end until the text has at most REMARKS_MAX bytes. */
static void
cut_remarks(struct buf *lines)
{
	const char *end;

	if (lines->len <= REMARKS_MAX)
		return;
	end = memrchr(lines->data, '\n', REMARKS_MAX);
	lines->len = end != NULL ? (size_t)(end - lines->data) + 1 : 0;
}

static int
send_answer(bool good, struct buf *const parts[PARTS])
{
	struct head head = { .good = good };
	struct buf all = { 0 };
	int i;

	for (i = 0; i < PARTS; i++)
		head.len[i] = (uint32_t)parts[i]->len;
	buf_add(&all, &head, sizeof(head));
	for (i = 0; i < PARTS; i++) {
		buf_add(&all, parts[i]->data, parts[i]->len);
		all.failed |= parts[i]->failed;
	}
	return all.failed ? -1 : fd_write_all(STDOUT_FILENO, all.data, all.len);
}

static void __attribute__((noreturn))
run_child(const char *path, const char *folder, pid_t parent, int out)
{
	struct settings_ids ids = { 0 };
	struct buf packed = { 0 }, errors = { 0 }, warnings = { 0 };
	struct buf accounts = { 0 };
	struct settings *s = NULL;
	struct conf_files files;
	bool good;

	if (dup2(out, STDOUT_FILENO) == -1)
		_exit(1);
	close_range(3, ~0u, 0);
	/*
	 * SANDBOX_EXEC keeps the privileges of a daemon that runs as root. The
	 * child can thus read each file that the daemon could read at the
	 * daemon's start.
	 */
	sandbox_child(SANDBOX_EXEC);
	sandbox_die_with(parent);
	limit_resources();
	clock_follow_zone();
	if (conf_files_read(&files, path, folder, &errors) == 0)
		s = settings_parse_files(&files, &ids, &errors, &warnings);
	conf_files_pack(&files, &packed);
	good = s != NULL;
	settings_free(s);
	account_files_read(&accounts);
	cut_remarks(&errors);
	cut_remarks(&warnings);
	_exit(send_answer(good, (struct buf *[]){ &packed, &ids.list, &accounts,
					&errors, &warnings }) != 0);
}

/* Functions for the parent. */

static void
finish(struct load_child *l, const char *failure)
{
	fd_close(&l->fd);
	l->state = LOAD_DONE;
	l->failure = failure;
}

void
load_child_start(struct load_child *l, const char *path, const char *folder)
{
	pid_t parent = getpid();
	int pipes[2];

	load_child_end(l);
	l->began = clock_ms();
	if (pipe2(pipes, O_CLOEXEC) != 0) {
		finish(l, "too many files are open");
		return;
	}
	if ((l->pid = fork()) == 0)
		run_child(path, folder, parent, pipes[1]);
	close(pipes[1]);
	l->fd = pipes[0];
	if (l->pid == -1 || fd_nonblock(l->fd) != 0) {
		finish(l, "cannot start a process");
		return;
	}
	l->state = LOAD_RUNNING;
	l->deadline = l->began + LOAD_MS;
}

void
load_child_read(struct load_child *l)
{
	char *room = buf_room(&l->answer, READ_SIZE);
	ssize_t n;

	if (room == NULL || l->answer.len > ANSWER_MAX) {
		finish(l,
			"the process that reads the file sends too much data");
		return;
	}
	n = read(l->fd, room, READ_SIZE);
	if (n > 0)
		l->answer.len += (size_t)n;
	else if (n == 0)
		finish(l, NULL);
	else if (errno != EAGAIN && errno != EINTR)
		finish(l, strerror(errno));
}

static void
kill_child(struct load_child *l)
{
	if (l->pid > 0)
		kill(l->pid, SIGKILL);
	/*
	 * Forget the pid. The daemon later reaps the killed child as an unknown
	 * process.
	 */
	l->pid = 0;
}

int64_t
load_child_expire(struct load_child *l, int64_t now)
{
	if (l->state != LOAD_RUNNING)
		return CLOCK_NEVER;
	if (now < l->deadline)
		return l->deadline;
	kill_child(l);
	finish(l, "the name service or the file system has not answered within "
		  "10 seconds; try again later");
	return CLOCK_NEVER;
}

/*
 * Find the head and the parts in the answer. Return false if the answer is not
 * complete.
 */
static bool
split(const struct buf *answer, struct head *head, const char *parts[PARTS])
{
	size_t at = sizeof(*head);
	int i;

	if (answer->len < sizeof(*head))
		return false;
	memcpy(head, answer->data, sizeof(*head));
	for (i = 0; i < PARTS; i++) {
		if (head->len[i] > answer->len - at)
			return false;
		parts[i] = answer->data + at;
		at += head->len[i];
	}
	return at == answer->len;
}

/*
 * Parse the configuration that the child has sent, with the ids from the child.
 * Return the settings, or NULL with lines in `errors`.
 */
static struct settings *
build(const struct head *head, const char *const parts[PARTS],
	struct buf *errors)
{
	struct settings_ids ids = { .given = true };
	struct settings *s = NULL;
	struct conf_files files;

	buf_add(&ids.list, parts[IDS], head->len[IDS]);
	if (conf_files_unpack(&files, parts[FILES], head->len[FILES]) == 0 &&
		files.n > 0 && !ids.list.failed)
		s = settings_parse_files(&files, &ids, errors, NULL);
	conf_files_free(&files);
	buf_free(&ids.list);
	return s;
}

struct settings *
load_child_take(struct load_child *l, const char *path,
	struct account_files *accounts, struct buf *errors,
	struct buf *warnings)
{
	const char *parts[PARTS], *failure = l->failure;
	struct settings *s = NULL;
	struct head head;

	if (failure == NULL && !split(&l->answer, &head, parts))
		failure = "the process that reads the file has ended without "
			  "an answer";
	if (failure == NULL) {
		buf_add(errors, parts[ERRORS], head.len[ERRORS]);
		buf_add(warnings, parts[WARNINGS], head.len[WARNINGS]);
		if (head.good)
			s = build(&head, parts, errors);
		if (s != NULL)
			account_files_take(
				accounts, parts[ACCOUNTS], head.len[ACCOUNTS]);
	} else {
		buf_addf(errors, "%s: cannot load this file: %s\n", path,
			failure);
	}
	load_child_end(l);
	return s;
}

void
load_child_end(struct load_child *l)
{
	kill_child(l);
	fd_close(&l->fd);
	buf_free(&l->answer);
	l->state = LOAD_NONE;
}

bool
load_child_reaped(struct load_child *l, pid_t pid)
{
	if (l->pid != pid)
		return false;
	l->pid = 0;
	return true;
}
