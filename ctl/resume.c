#include "resume.h"

#include "fd.h"
#include "name_table.h"
#include "notice.h"

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
fail(const struct resume *r, struct buf *error)
{
	buf_addf(error, "%s: %s", r->path, strerror(errno));
	return -1;
}

/* "# hosts left of bridlectl kill 1#3#firefox": what is asked of each. */
static void
add_heading(const struct resume *r, struct buf *out)
{
	buf_addf(out, HEADING "%s ", r->inv->command->name);
	request_format(&r->inv->request, out);
}

static int
make_index(struct name_table *index, const struct hosts *hosts)
{
	size_t i;

	for (i = 0; i < hosts->n; i++)
		if (name_table_add(index, hosts->v[i].label, i) < 0)
			return -1;
	return 0;
}

static void
set_left(struct resume *r, size_t host, bool left)
{
	if (r->left[host] == left)
		return;
	r->left[host] = left;
	r->nleft += left ? 1 : (size_t)-1;
}

static int
take_heading(const struct resume *r, const char *line, struct buf *error)
{
	struct buf ours = { 0 };
	int result = 0;

	add_heading(r, &ours);
	if (line == NULL || strncmp(line, HEADING, strlen(HEADING)) != 0) {
		buf_addf(error,
			"%s is no file of --resume: name another, or remove it",
			r->path);
		result = -1;
	} else if (strcmp(line, buf_str(&ours)) != 0) {
		buf_addf(error, "%s belongs to '%s', and this is '%s'", r->path,
			line + strlen(HEADING),
			buf_str(&ours) + strlen(HEADING));
		result = -1;
	}
	buf_free(&ours);
	return result;
}

/* The lines behind the heading: those to reach, and those reached since. */
static int
take_hosts(struct resume *r, const struct name_table *index, char *text,
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
			   name_table_find(index, line, &host)) {
			set_left(r, host, left);
		} else if (*line != '\0') {
			buf_addf(error,
				"%s:%zu: '%s' is none of the hosts of this "
				"call: is it the file of another?",
				r->path, number, line);
			return -1;
		}
	}
	if (!left)
		return 0;
	buf_addf(error, "%s is cut short: it has no line '%s'", r->path, END);
	return -1;
}

static int
take_text(struct resume *r, char *text, size_t len, struct buf *error)
{
	struct name_table index = { 0 };
	char *heading;
	int result = -1;

	if (memchr(text, '\0', len) != NULL) {
		buf_addf(error, "%s has a NUL byte", r->path);
		return -1;
	}
	heading = strsep(&text, "\n");
	if (take_heading(r, heading, error) != 0)
		return -1;
	if (make_index(&index, &r->inv->hosts) != 0)
		buf_adds(error, "out of memory");
	else
		result = take_hosts(r, &index, text ? text : heading, error);
	name_table_free(&index);
	return result;
}

static int
read_left(struct resume *r, int fd, struct buf *error)
{
	size_t len;
	char *text = fd_read_all(fd, FILE_MAX, &len);
	int result;

	if (text == NULL)
		return fail(r, error);
	result = take_text(r, text, len, error);
	free(text);
	return result;
}

static int
write_left(struct resume *r, struct buf *error)
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

/* Two calls would do it all twice. */
static int
lock(const struct resume *r, int fd, struct buf *error)
{
	struct stat ours, named;

	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &ours) != 0 ||
		stat(r->path, &named) != 0 || ours.st_ino != named.st_ino ||
		ours.st_dev != named.st_dev) {
		buf_addf(error, "%s is in use by another call", r->path);
		return -1;
	}
	return 0;
}

/* What is neither a file nor ours to remove stays as it is. */
static int
check_kind(const struct resume *r, int fd, struct buf *error)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return 0;
	buf_addf(error, "%s is no regular file", r->path);
	return -1;
}

/* What is to be changed is made, locked, and written to at its end. */
static int
open_file(struct resume *r, bool *made, struct buf *error)
{
	const int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd;

	*made = true;
	fd = open(r->path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | flags, 0666);
	if (fd == -1 && errno == EEXIST) {
		*made = false;
		fd = open(r->path, O_RDWR | O_APPEND | flags);
	}
	if (fd == -1)
		return fail(r, error);
	if (check_kind(r, fd, error) != 0 || lock(r, fd, error) != 0)
		fd_close(&fd);
	return fd;
}

static int
begin(struct resume *r, struct buf *error)
{
	bool made;
	int fd = open_file(r, &made, error), result;

	if (fd == -1)
		return -1;
	if (made) {
		r->fd = fd;
		return write_left(r, error);
	}
	if ((result = read_left(r, fd, error)) == 0)
		r->fd = fd;
	else
		fd_close(&fd);
	return result;
}

/* For a dry run. */
static int
look(struct resume *r, struct buf *error)
{
	int fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), result;

	if (fd == -1 && errno == ENOENT)
		return write_left(r, error);
	if (fd == -1)
		return fail(r, error);
	result = check_kind(r, fd, error) == 0 ? read_left(r, fd, error) : -1;
	fd_close(&fd);
	return result;
}

int
resume_begin(struct resume *r, const struct invocation *inv, struct buf *error)
{
	*r = (struct resume){
		.path = inv->options.values[OPT_RESUME], .fd = -1, .inv = inv
	};
	if ((r->left = calloc(inv->hosts.n + 1, sizeof(r->left[0]))) == NULL) {
		buf_adds(error, "out of memory");
		return -1;
	}
	if (r->path == NULL)
		return write_left(r, error);
	if (inv->request.dry_run || inv->request.explain)
		return look(r, error);
	return begin(r, error);
}

void
resume_strike(struct resume *r, const struct answer *a)
{
	struct buf line = { 0 };

	if (fate_is_failure(a->fate) || !r->left[a->index])
		return;
	set_left(r, a->index, false);
	if (r->fd == -1)
		return;
	buf_addf(&line, "%s\n", r->inv->hosts.v[a->index].label);
	if ((line.failed || fd_write_all(r->fd, line.data, line.len) != 0) &&
		!r->failed) {
		r->failed = true;
		notice("%s: %s: from '%s' on it is not to be relied on",
			r->path, strerror(errno),
			r->inv->hosts.v[a->index].label);
	}
	buf_free(&line);
}

void
resume_end(struct resume *r)
{
	if (r->fd != -1 && r->nleft == 0)
		unlink(r->path);
	else if (r->fd != -1)
		notice("%zu host%s left: the same command, with --resume %s, "
		       "goes on",
			r->nleft, r->nleft == 1 ? " is" : "s are", r->path);
	fd_close(&r->fd);
	free(r->left);
	memset(r, 0, sizeof(*r));
}
