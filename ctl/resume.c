#include "resume.h"

#include "clock.h"
#include "fd.h"
#include "name_table.h"
#include "notice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX ((size_t)64 * 1024 * 1024)
#define WRITE_EVERY 200 /* ms */
#define HEADING "# hosts left of bridlectl "

static int
make_index(struct name_table *index, const struct hosts *hosts)
{
	size_t i;

	for (i = 0; i < hosts->n; i++)
		if (name_table_add(index, hosts->v[i].label, i) < 0)
			return -1;
	return 0;
}

/* One line of the file. */
static int
take_line(struct resume *r, const struct name_table *index, const char *line,
	size_t number, struct buf *error)
{
	const char *command = r->inv->command->name;
	size_t i;

	if (strncmp(line, HEADING, strlen(HEADING)) == 0 &&
		strcmp(line + strlen(HEADING), command) != 0) {
		buf_addf(error, "%s belongs to '%s', not to '%s'", r->path,
			line + strlen(HEADING), command);
		return -1;
	}
	if (*line == '#' || *line == '\0')
		return 0;
	if (!name_table_find(index, line, &i)) {
		buf_addf(error,
			"%s:%zu: '%s' is none of the hosts of this call: is it "
			"the file of another?",
			r->path, number, line);
		return -1;
	}
	r->nleft += !r->left[i];
	r->left[i] = true;
	return 0;
}

static int
take_lines(struct resume *r, char *text, struct buf *error)
{
	struct name_table index = { 0 };
	size_t number = 0;
	int result = 0;
	char *line;

	if (make_index(&index, &r->inv->hosts) != 0) {
		buf_adds(error, "out of memory");
		result = -1;
	}
	while (result == 0 && (line = strsep(&text, "\n")) != NULL)
		result = take_line(r, &index, line, ++number, error);
	name_table_free(&index);
	return result;
}

static void
add_left(const struct resume *r, struct buf *out)
{
	size_t i;

	buf_addf(out, HEADING "%s\n", r->inv->command->name);
	for (i = 0; i < r->inv->hosts.n; i++)
		if (r->left[i])
			buf_addf(out, "%s\n", r->inv->hosts.v[i].label);
}

static int
write_file(const char *path, const struct buf *text)
{
	int fd = open(path,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
	int result;

	if (fd == -1)
		return -1;
	result = fd_write_all(fd, text->data, text->len);
	fd_close(&fd);
	return result;
}

/* 0, or -1 with errno. */
static int
write_left(struct resume *r)
{
	struct buf text = { 0 }, name = { 0 };
	int result = -1;

	add_left(r, &text);
	buf_addf(&name, "%s.new", r->path);
	if (text.failed || name.failed)
		errno = ENOMEM;
	else if (write_file(buf_str(&name), &text) == 0)
		result = rename(buf_str(&name), r->path);
	r->written = clock_ms();
	buf_free(&text);
	buf_free(&name);
	return result;
}

static int
begin_anew(struct resume *r, struct buf *error)
{
	memset(r->left, true, r->inv->hosts.n);
	r->nleft = r->inv->hosts.n;
	if (r->path == NULL || write_left(r) == 0)
		return 0;
	buf_addf(error, "%s: %s", r->path, strerror(errno));
	return -1;
}

static int
read_left(struct resume *r, struct buf *error)
{
	int fd, result = -1;
	size_t len;
	char *text;

	fd = open(r->path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		return begin_anew(r, error);
	if (fd == -1 || (text = fd_read_all(fd, FILE_MAX, &len)) == NULL) {
		buf_addf(error, "%s: %s", r->path, strerror(errno));
	} else {
		result = take_lines(r, text, error);
		free(text);
	}
	fd_close(&fd);
	return result;
}

int
resume_begin(struct resume *r, const struct invocation *inv, struct buf *error)
{
	int result;

	*r = (struct resume){ .path = inv->options.values[OPT_RESUME],
		.inv = inv };
	if ((r->left = calloc(inv->hosts.n + 1, sizeof(r->left[0]))) == NULL) {
		buf_adds(error, "out of memory");
		return -1;
	}
	result = r->path ? read_left(r, error) : begin_anew(r, error);
	/* What is not ours to go on with is not ours to write. */
	if (result != 0)
		r->path = NULL;
	return result;
}

void
resume_strike(struct resume *r, const struct answer *a)
{
	if (fate_is_failure(a->fate) || !r->left[a->index])
		return;
	r->left[a->index] = false;
	r->nleft--;
	if (r->path == NULL || clock_ms() - r->written < WRITE_EVERY)
		return;
	/* The next may succeed, and the last is told of. */
	write_left(r);
}

void
resume_end(struct resume *r)
{
	if (r->path != NULL && r->left != NULL && r->nleft > 0) {
		if (write_left(r) == 0)
			notice("%zu host%s left: the same command, with "
			       "--resume %s, goes on",
				r->nleft, r->nleft == 1 ? " is" : "s are",
				r->path);
		else
			notice("%s: %s", r->path, strerror(errno));
	} else if (r->path != NULL && r->left != NULL) {
		unlink(r->path);
	}
	free(r->left);
	memset(r, 0, sizeof(*r));
}
