#include "cli/host_select.h"

#include "fd.h"
#include "hosts/host_expand.h"
#include "hosts/host_set.h"
#include "hosts/hostlist.h"
#include "util/message.h"
#include "util/problem.h"

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

/*
 * Add the hosts in one line of a file. "#" begins a comment. The line is
 * overwritten. Returns 0, or -1 with a sentence appended to error.
 */
static int
add_line(struct hosts *hosts, const struct client_conf *conf, char *line,
	struct buf *error)
{
	static const char blanks[] = " \t\r";
	size_t len;

	line[strcspn(line, "#")] = '\0';
	line += strspn(line, blanks);
	for (len = strlen(line); len > 0 && strchr(blanks, line[len - 1]);)
		line[--len] = '\0';
	return len > 0 ? host_expand(hosts, conf, line, error) : 0;
}

static int
add_lines(struct hosts *hosts, const struct client_conf *conf, const char *path,
	char *text, struct buf *error)
{
	const char *name = strcmp(path, "-") == 0 ? "stdin" : path;
	struct buf why = { 0 };
	unsigned number = 0;
	char *line;
	int result = 0;

	while (result == 0 && (line = strsep(&text, "\n")) != NULL) {
		number++;
		if ((result = add_line(hosts, conf, line, &why)) != 0)
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

/*
 * Add the hosts in the file of --hosts-file. Returns 0, or -1 with a sentence
 * appended to error.
 */
static int
add_file(struct hosts *hosts, const struct client_conf *conf, const char *path,
	struct buf *error)
{
	int fd = open_file(path), result = -1;
	size_t len, before = hosts->n;
	char *text = NULL;

	if (fd == -1 || (text = fd_read_all(fd, FILE_SIZE_MAX, &len)) == NULL)
		buf_addf(error, "%s: %s", path, strerror(errno));
	else if (memchr(text, '\0', len) != NULL)
		buf_addf(error, "%s has a NUL byte", path);
	else
		result = add_lines(hosts, conf, path, text, error);
	if (result == 0 && hosts->n == before) {
		buf_addf(error, "%s names no host", path);
		result = -1;
	}
	free(text);
	fd_close(&fd);
	return result;
}

/*
 * Add the local daemon. Root first tries a socket that only root can use,
 * because other users cannot fill the backlog of that socket. The socket for
 * root exists only while the daemon runs.
 */
static int
add_local(
	struct hosts *hosts, const struct client_conf *conf, struct buf *error)
{
	if (host_expand(hosts, conf, TARGET_DEFAULT, error) != 0)
		return -1;
	if (geteuid() == 0)
		hosts->v[hosts->n - 1].target.first = TARGET_ROOT_SOCKET;
	return 0;
}

/*
 * Add the default hosts of bridlectl.conf, or else the local daemon. Returns 0,
 * or -1 with a sentence appended to error.
 */
static int
add_default(
	struct hosts *hosts, const struct client_conf *conf, struct buf *error)
{
	struct buf why = { 0 };
	int result;

	if (conf->default_hosts == NULL)
		return add_local(hosts, conf, error);
	result = host_expand(hosts, conf, conf->default_hosts, &why);
	if (result == 0 && hosts->n == 0) {
		buf_addf(&why, "the list '%s' has no hosts",
			conf->default_hosts);
		result = -1;
	}
	if (result != 0)
		buf_addf(error, "defaults.hosts of " CLIENT_CONF_NAME ": %s",
			buf_str(&why));
	buf_free(&why);
	return result;
}

/*
 * Add all hosts of -H and --hosts-file. If neither option is given, add the
 * default hosts. Returns 0, or -1 with a sentence appended to error.
 */
static int
add_all(struct hosts *hosts, const struct client_conf *conf,
	const struct options *o, struct buf *error)
{
	const char *list = o->values[OPT_HOSTS];
	const char *file = o->values[OPT_HOSTS_FILE];

	if (list == NULL && file == NULL &&
		add_default(hosts, conf, error) != 0)
		return -1;
	if (list != NULL && host_expand(hosts, conf, list, error) != 0)
		return -1;
	if (file != NULL && add_file(hosts, conf, file, error) != 0)
		return -1;
	if (hosts->n == 0) {
		buf_addf(error, "the list '%s' has no hosts", list);
		return -1;
	}
	return host_set_unique(hosts) == 0 ? 0 : no_memory(error);
}

struct exclusion {
	const struct client_conf *conf;
	struct string_map names; /* names of all hosts before the exclusion */
	struct hosts without;
	struct buf unused; /* words of --exclude that exclude no host */
	struct buf *error;
};

static int
exclude_word(void *arg, const char *word)
{
	struct exclusion *e = arg;
	size_t i = e->without.n;

	if (host_expand(&e->without, e->conf, word, e->error) != 0)
		return -1;
	while (i < e->without.n &&
		!host_set_would_exclude(&e->names, &e->without.v[i]))
		i++;
	if (i == e->without.n)
		buf_addf(
			&e->unused, "%s%s", e->unused.len > 0 ? "," : "", word);
	return 0;
}

/*
 * Report words of --exclude that exclude no host, because such words are
 * probably misspelled. If `unused` is HOST_SELECT_REFUSE, return -1 with a
 * sentence appended to error. Otherwise return 0.
 */
static int
report_unused(
	const char *words, enum host_select_unused unused, struct buf *error)
{
	if (unused == HOST_SELECT_REFUSE)
		return problem_add(error,
			"--exclude: '%s' excludes none of the hosts; correct "
			"the name, or leave it out",
			words);
	if (unused == HOST_SELECT_WARN)
		message_print("--exclude: '%s' excludes none of the hosts; "
			      "check the name",
			words);
	return 0;
}

static int
exclude_all(struct hosts *hosts, struct exclusion *e, const char *list)
{
	if (host_set_names(hosts, &e->names) != 0)
		return no_memory(e->error);
	if (hostlist_words(list, exclude_word, e, e->error) != 0)
		return -1;
	if (host_set_exclude(hosts, &e->without) != 0)
		return no_memory(e->error);
	return hosts->n > 0
		       ? 0
		       : problem_add(e->error, "--exclude excludes all hosts");
}

/*
 * Remove the hosts of --exclude. Returns 0, or -1 with a sentence appended to
 * error.
 */
static int
exclude(struct hosts *hosts, const struct client_conf *conf, const char *list,
	enum host_select_unused unused, struct buf *error)
{
	struct exclusion e = { .conf = conf, .error = error };
	int result = exclude_all(hosts, &e, list);

	if (result == 0 && e.unused.len > 0)
		result = report_unused(buf_str(&e.unused), unused, error);
	string_map_free(&e.names);
	hosts_free(&e.without);
	buf_free(&e.unused);
	return result;
}

/* True if the options can select hosts or groups of bridlectl.conf. */
static bool
needs_conf(const struct options *o)
{
	if (options_given(o, OPT_HOSTS_FILE) || !options_given(o, OPT_HOSTS))
		return true;
	if (options_given(o, OPT_EXCLUDE) &&
		!host_is_literal(o->values[OPT_EXCLUDE]))
		return true;
	/* The value of --via, an option of `wake`, is a host. */
	if (options_given(o, OPT_VIA) && !host_is_literal(o->values[OPT_VIA]))
		return true;
	return !host_is_literal(o->values[OPT_HOSTS]);
}

/* Set the timeout of each host that has no timeout yet. */
static void
set_timeouts(struct hosts *hosts, unsigned seconds)
{
	size_t i;

	for (i = 0; i < hosts->n; i++)
		if (hosts->v[i].timeout == 0)
			hosts->v[i].timeout = seconds;
}

int
host_select(struct hosts *hosts, struct client_conf *conf,
	const struct options *o, enum host_select_unused unused,
	struct buf *error)
{
	if ((needs_conf(o) && client_conf_read(conf, error) != 0) ||
		add_all(hosts, conf, o, error) != 0 ||
		(options_given(o, OPT_EXCLUDE) &&
			exclude(hosts, conf, o->values[OPT_EXCLUDE], unused,
				error) != 0))
		return -1;
	set_timeouts(hosts, conf->default_timeout);
	return 0;
}
