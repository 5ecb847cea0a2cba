#include "fanout/resume_journal.h"

#include "fd.h"
#include "trusted_path.h"
#include "util/message.h"
#include "util/problem.h"
#include "util/string_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)64 * 1024 * 1024)
#define HEADING "# hosts left of bridlectl "
#define END "# done since then:"

static int
fail(const struct resume_journal *r, struct buf *error)
{
	return problem_add(error, "%s: %s", r->path, strerror(errno));
}

/*
 * Append the heading of the file, as in "# hosts left of bridlectl kill
 * 1#3#firefox". The heading has the command and its request. A dry run or an
 * `explain` gets the heading of the real command, to use the same file.
 */
static void
add_heading(const struct resume_journal *r, struct buf *out)
{
	const struct invocation *inv = r->inv;
	struct request done = inv->request;

	done.dry_run = done.explain = false;
	buf_addf(out, HEADING "%s ",
		inv->request.explain ? inv->args[0] : inv->command->name);
	request_format(&done, out);
}

static void
set_left(struct resume_journal *r, size_t host, bool left)
{
	if (r->left[host] == left)
		return;
	r->left[host] = left;
	r->nleft += left ? 1 : (size_t)-1;
}

static int
take_heading(
	const struct resume_journal *r, const char *line, struct buf *error)
{
	struct buf ours = { 0 };
	int result = 0;

	add_heading(r, &ours);
	if (line == NULL || strncmp(line, HEADING, strlen(HEADING)) != 0)
		result = problem_add(error,
			"%s is not a file of --resume: name another file, or "
			"remove it",
			r->path);
	else if (strcmp(line, buf_str(&ours)) != 0)
		result = problem_add(error,
			"%s belongs to '%s', but this command is '%s'", r->path,
			line + strlen(HEADING),
			buf_str(&ours) + strlen(HEADING));
	buf_free(&ours);
	return result;
}

/*
 * Read the list of all hosts. Then read the names of the finished hosts, which
 * follow the line END.
 */
static int
take_hosts(struct resume_journal *r, const struct string_map *index, char *text,
	struct buf *error)
{
	bool left = true;
	size_t host, number = 1;
	char *line;

	while ((line = strsep(&text, "\n")) != NULL) {
		number++;
		if (strcmp(line, END) == 0) {
			left = false;
		} else if (*line != '\0' &&
			   string_map_find(index, line, &host)) {
			set_left(r, host, left);
		} else if (*line != '\0') {
			return problem_add(error,
				"%s:%zu: '%s' is not a host of this command: "
				"is this the file of another command?",
				r->path, number, line);
		}
	}
	if (!left)
		return 0;
	return problem_add(error, "%s is incomplete: the line '%s' is missing",
		r->path, END);
}

static int
take_text(struct resume_journal *r, char *text, size_t len, struct buf *error)
{
	const struct hosts *hosts = &r->inv->hosts;
	struct string_map index = { 0 };
	char *heading;
	int result;
	size_t i;

	if (memchr(text, '\0', len) != NULL)
		return problem_add(error, "%s has a NUL byte", r->path);
	heading = strsep(&text, "\n");
	result = take_heading(r, heading, error);
	for (i = 0; i < hosts->n && result == 0; i++)
		if (string_map_add(&index, hosts->v[i].label, i) < 0)
			result = problem_add(error, "out of memory");
	if (result == 0)
		result = take_hosts(r, &index, text ? text : heading, error);
	string_map_free(&index);
	return result;
}

static int
read_left(struct resume_journal *r, int fd, struct buf *error)
{
	size_t len;
	char *text = fd_read_all(fd, FILE_MAX, &len);
	int result;

	if (text == NULL)
		return fail(r, error);
	result = take_text(r, text, len, error);
	free(text);
	if (result == 0 && r->nleft == 0)
		result = problem_add(error,
			"%s has no host left: remove the file to start again",
			r->path);
	return result;
}

static int
write_left(struct resume_journal *r, struct buf *error)
{
	struct buf text = { 0 };
	int result;
	size_t i;

	memset(r->left, true, r->inv->hosts.n);
	r->nleft = r->inv->hosts.n;
	if (r->fd == -1)
		return 0;
	add_heading(r, &text);
	for (i = 0; i < r->inv->hosts.n; i++)
		buf_addf(&text, "\n%s", r->inv->hosts.v[i].label);
	buf_adds(&text, "\n" END "\n");
	errno = ENOMEM;
	result =
		!text.failed && fd_write_all(r->fd, text.data, text.len) == 0 &&
				fsync(r->fd) == 0
			? 0
			: fail(r, error);
	if (result != 0)
		unlink(r->path);
	buf_free(&text);
	return result;
}

/*
 * Lock the file, because two commands that use the same file would do the same
 * work. Return 0, or -1 with a sentence appended to `error`.
 */
static int
lock(const struct resume_journal *r, int fd, struct buf *error)
{
	struct stat ours, named;

	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &ours) != 0 ||
		stat(r->path, &named) != 0 || ours.st_ino != named.st_ino ||
		ours.st_dev != named.st_dev)
		return problem_add(
			error, "%s is in use by another command", r->path);
	return 0;
}

/*
 * Open or create the file for appending, and lock the file. Set *made to true
 * if the file was created. Return the descriptor, or -1 with a sentence
 * appended to `error`.
 */
static int
open_file(struct resume_journal *r, bool *made, struct buf *error)
{
	const int flags = O_RDWR | O_APPEND | O_CLOEXEC;
	int fd = open(r->path, flags | O_CREAT | O_EXCL, 0666);

	*made = fd != -1;
	if (fd == -1 && errno != EEXIST)
		return fail(r, error);
	if (fd == -1)
		fd = trusted_open(r->path, flags, 0, error);
	if (fd != -1 && lock(r, fd, error) != 0)
		fd_close(&fd);
	return fd;
}

static int
begin(struct resume_journal *r, struct buf *error)
{
	bool made;
	int fd = open_file(r, &made, error);

	if (fd == -1)
		return -1;
	if (!made && read_left(r, fd, error) != 0) {
		fd_close(&fd);
		return -1;
	}
	r->fd = fd;
	return made ? write_left(r, error) : 0;
}

/*
 * Read the hosts that are left, but do not change the file. If the file does
 * not exist, all hosts are left.
 */
static int
read_left_only(struct resume_journal *r, struct buf *error)
{
	struct stat st;
	int fd, result;

	if (lstat(r->path, &st) != 0 && errno == ENOENT)
		return write_left(r, error);
	if ((fd = trusted_open(r->path, O_RDONLY, 0, error)) == -1)
		return -1;
	result = read_left(r, fd, error);
	fd_close(&fd);
	return result;
}

int
resume_journal_begin(struct resume_journal *r, const struct invocation *inv,
	bool read_only, struct buf *error)
{
	*r = (struct resume_journal){
		.path = inv->options.values[OPT_RESUME], .fd = -1, .inv = inv
	};
	if ((r->left = calloc(inv->hosts.n + 1, sizeof(r->left[0]))) == NULL)
		return problem_add(error, "out of memory");
	if (r->path == NULL)
		return write_left(r, error);
	return read_only ? read_left_only(r, error) : begin(r, error);
}

/*
 * True if the command is finished on this host. A successful command is
 * finished even if its output was truncated.
 */
static bool
is_done(const struct result *a)
{
	return !result_kind_is_failure(a->result_kind) ||
	       (reply_truncated(&a->reply) && a->reply.code == CODE_OK &&
		       !reply_run_failed(&a->reply));
}

void
resume_journal_remove(struct resume_journal *r, const struct result *a)
{
	struct buf line = { 0 };

	if (!is_done(a) || !r->left[a->index])
		return;
	set_left(r, a->index, false);
	if (r->fd == -1)
		return;
	buf_addf(&line, "%s\n", r->inv->hosts.v[a->index].label);
	if ((line.failed || fd_write_all(r->fd, line.data, line.len) != 0) &&
		!r->failed) {
		r->failed = true;
		message_print("%s: %s: the file misses hosts that are done, "
			      "from '%s' on",
			r->path, strerror(errno),
			r->inv->hosts.v[a->index].label);
	}
	buf_free(&line);
}

void
resume_journal_end(struct resume_journal *r)
{
	if (r->fd != -1 && r->nleft == 0)
		unlink(r->path);
	else if (r->fd != -1)
		message_print("%zu host%s left: repeat the command with "
			      "--resume %s to continue",
			r->nleft, r->nleft == 1 ? " is" : "s are", r->path);
	fd_close(&r->fd);
	free(r->left);
	memset(r, 0, sizeof(*r));
}
