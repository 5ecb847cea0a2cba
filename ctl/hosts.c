#include "hosts.h"

#include "fd.h"
#include "host_set.h"
#include "inventory.h"
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

/* One line of a file of hosts, which is changed; # begins a comment. */
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
	return len > 0 ? inventory_add(hosts, conf, line, error) : 0;
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

/* --hosts-file */
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

/* Whom to ask when nobody says. */
static int
add_default(
	struct hosts *hosts, const struct client_conf *conf, struct buf *error)
{
	struct buf why = { 0 };
	int result;

	if (conf->default_hosts == NULL)
		return inventory_add(hosts, conf, TARGET_DEFAULT, error);
	result = inventory_add(hosts, conf, conf->default_hosts, &why);
	if (result == 0 && hosts->n == 0) {
		buf_addf(&why, "'%s' stands for no host", conf->default_hosts);
		result = -1;
	}
	if (result != 0)
		buf_addf(error, "defaults.hosts of " CLIENT_CONF_NAME ": %s",
			buf_str(&why));
	buf_free(&why);
	return result;
}

/* All that the options name, or else the default. */
static int
add_all(struct hosts *hosts, const struct client_conf *conf,
	const struct options *o, struct buf *error)
{
	const char *list = o->values[OPT_HOSTS];
	const char *file = o->values[OPT_HOSTS_FILE];

	if (list == NULL && file == NULL)
		return add_default(hosts, conf, error) == 0 &&
				       host_set_unique(hosts) == 0
			       ? 0
			       : -1;
	if (list != NULL && inventory_add(hosts, conf, list, error) != 0)
		return -1;
	if (file != NULL && add_file(hosts, conf, file, error) != 0)
		return -1;
	if (hosts->n == 0) {
		buf_addf(error, "'%s' stands for no host", list);
		return -1;
	}
	return host_set_unique(hosts) == 0 ? 0 : no_memory(error);
}

/* --exclude */
static int
exclude(struct hosts *hosts, const struct client_conf *conf, const char *list,
	struct buf *error)
{
	struct hosts without = { 0 };
	int result = inventory_add(&without, conf, list, error);

	if (result == 0 && host_set_exclude(hosts, &without) != 0)
		result = no_memory(error);
	if (result == 0 && hosts->n == 0) {
		buf_adds(error, "--exclude leaves no host");
		result = -1;
	}
	hosts_free(&without);
	return result;
}

bool
hosts_need_conf(const struct options *o)
{
	if (options_given(o, OPT_HOSTS_FILE) || !options_given(o, OPT_HOSTS))
		return true;
	if (options_given(o, OPT_EXCLUDE) &&
		!inventory_is_literal(o->values[OPT_EXCLUDE]))
		return true;
	return !inventory_is_literal(o->values[OPT_HOSTS]);
}

int
hosts_select(struct hosts *hosts, const struct client_conf *conf,
	const struct options *o, struct buf *error)
{
	if (add_all(hosts, conf, o, error) != 0)
		return -1;
	return options_given(o, OPT_EXCLUDE)
		       ? exclude(hosts, conf, o->values[OPT_EXCLUDE], error)
		       : 0;
}

void
hosts_name(const struct host *h, struct buf *out)
{
	const char *s = h->label;

	if (strncmp(s, "unix:", 5) == 0) {
		buf_adds(out, s);
		return;
	}
	if (strncmp(s, "plain:", 6) == 0)
		s += 6;
	if (*s == '[')
		buf_add(out, s + 1, strcspn(s + 1, "]"));
	else
		buf_add(out, s, strcspn(s, ":"));
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
