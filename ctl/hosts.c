#include "hosts.h"

#include "fd.h"
#include "host_set.h"
#include "hostlist.h"
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_SIZE_MAX (64 * 1024 * 1024)

static int
no_memory(struct buf *error)
{
	buf_adds(error, "out of memory");
	return -1;
}

/* Makes room for so many more, and for as many again as there are. */
static int
reserve(struct hosts *hosts, size_t more, struct buf *error)
{
	size_t room = hosts->n + more;
	struct host *v;

	if (more > HOSTLIST_MAX - hosts->n) {
		buf_addf(error, "these are more than %d hosts", HOSTLIST_MAX);
		return -1;
	}
	if (room <= hosts->room)
		return 0;
	if (room < 2 * hosts->n)
		room = 2 * hosts->n;
	v = reallocarray(hosts->v, room, sizeof(*v));
	if (v == NULL)
		return no_memory(error);
	hosts->v = v;
	hosts->room = room;
	return 0;
}

int
hosts_add(struct hosts *hosts, const char *name, struct buf *error)
{
	struct host *h;

	if (reserve(hosts, 1, error) != 0)
		return -1;
	h = &hosts->v[hosts->n];
	memset(h, 0, sizeof(*h));
	if ((h->label = strdup(name)) == NULL)
		return no_memory(error);
	hosts->n++;
	return targets_parse(h->label, &h->target, error);
}

struct adding {
	struct hosts *hosts;
	struct buf *error;
};

static int
add_name(void *arg, const char *name)
{
	struct adding *adding = arg;

	return hosts_add(adding->hosts, name, adding->error);
}

static int
add_word(struct hosts *hosts, const char *word, struct buf *error)
{
	struct adding adding = { hosts, error };
	size_t count;

	if (hostlist_count(word, &count, error) != 0 ||
		reserve(hosts, count, error) != 0)
		return -1;
	return hostlist_expand(word, add_name, &adding, error);
}

int
hosts_add_list(struct hosts *hosts, const char *list, struct buf *error)
{
	char *word;
	size_t len;
	int result = 0;

	for (;; list += len + 1) {
		len = hostlist_span(list);
		if ((word = strndup(list, len)) == NULL)
			return no_memory(error);
		result = add_word(hosts, word, error);
		free(word);
		if (result != 0 || list[len] == '\0')
			return result;
	}
}

/* One line of a file of hosts, which is changed; # begins a comment. */
static int
add_line(struct hosts *hosts, char *line, struct buf *error)
{
	static const char blanks[] = " \t\r";
	size_t len;

	line[strcspn(line, "#")] = '\0';
	line += strspn(line, blanks);
	for (len = strlen(line); len > 0 && strchr(blanks, line[len - 1]);)
		line[--len] = '\0';
	return len > 0 ? hosts_add_list(hosts, line, error) : 0;
}

static int
add_lines(struct hosts *hosts, const char *path, char *text, struct buf *error)
{
	const char *name = strcmp(path, "-") == 0 ? "stdin" : path;
	struct buf why = { 0 };
	unsigned number = 0;
	char *line;
	int result = 0;

	while (result == 0 && (line = strsep(&text, "\n")) != NULL) {
		number++;
		if ((result = add_line(hosts, line, &why)) != 0)
			buf_addf(error, "%s:%u: %s", name, number,
				buf_str(&why));
	}
	buf_free(&why);
	return result;
}

static int
open_file(const char *path)
{
	return strcmp(path, "-") == 0
		       ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
		       : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

/* --hosts-file */
static int
add_file(struct hosts *hosts, const char *path, struct buf *error)
{
	int fd = open_file(path), result = -1;
	size_t len, before = hosts->n;
	char *text = NULL;

	if (fd == -1 || (text = fd_read_all(fd, FILE_SIZE_MAX, &len)) == NULL)
		buf_addf(error, "%s: %s", path, strerror(errno));
	else if (memchr(text, '\0', len) != NULL)
		buf_addf(error, "%s has a NUL byte", path);
	else
		result = add_lines(hosts, path, text, error);
	if (result == 0 && hosts->n == before) {
		buf_addf(error, "%s names no host", path);
		result = -1;
	}
	free(text);
	fd_close(&fd);
	return result;
}

/* All that the options name, or else the local daemon. */
static int
add_all(struct hosts *hosts, const struct options *o, struct buf *error)
{
	const char *list = o->values[OPT_HOSTS];
	const char *file = o->values[OPT_HOSTS_FILE];

	if (list == NULL && file == NULL)
		list = TARGET_DEFAULT;
	if (list != NULL && hosts_add_list(hosts, list, error) != 0)
		return -1;
	if (file != NULL && add_file(hosts, file, error) != 0)
		return -1;
	return host_set_unique(hosts) == 0 ? 0 : no_memory(error);
}

/* --exclude */
static int
exclude(struct hosts *hosts, const char *list, struct buf *error)
{
	struct hosts without = { 0 };
	int result = hosts_add_list(&without, list, error);

	if (result == 0 && host_set_exclude(hosts, &without) != 0)
		result = no_memory(error);
	if (result == 0 && hosts->n == 0) {
		buf_adds(error, "--exclude leaves no host");
		result = -1;
	}
	hosts_free(&without);
	return result;
}

int
hosts_select(struct hosts *hosts, const struct options *o, struct buf *error)
{
	memset(hosts, 0, sizeof(*hosts));
	if (add_all(hosts, o, error) != 0)
		return -1;
	return options_given(o, OPT_EXCLUDE)
		       ? exclude(hosts, o->values[OPT_EXCLUDE], error)
		       : 0;
}

void
hosts_name(const struct host *h, struct buf *out)
{
	buf_adds(
		out, h->target.kind == TARGET_UNIX ? h->label : h->target.host);
}

void
hosts_clear(struct host *h)
{
	free(h->label);
	free(h->identity);
	free(h->fingerprint);
}

void
hosts_free(struct hosts *hosts)
{
	size_t i;

	for (i = 0; i < hosts->n; i++)
		hosts_clear(&hosts->v[i]);
	free(hosts->v);
	memset(hosts, 0, sizeof(*hosts));
}
