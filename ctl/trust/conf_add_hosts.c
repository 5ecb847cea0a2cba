#include "trust/conf_add_hosts.h"

#include "conf.h"
#include "config/config_file.h"
#include "fd.h"
#include "hosts/host_expand.h"
#include "util/config_dir.h"
#include "util/message.h"
#include "util/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define GROUP_BYTES                  \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789._-"

/* True if the user's own file has the group. */
static bool
is_own_group(const char *group)
{
	struct buf path = { 0 }, text = { 0 }, ignored = { 0 };
	struct client_conf own = { 0 };
	bool found = false;

	if (config_dir_file(CLIENT_CONF_NAME, &path, &ignored) == 0 &&
		conf_read(buf_str(&path), &text, &ignored) == 0 &&
		client_conf_read_text(
			&own, buf_str(&text), buf_str(&path), &ignored) == 0)
		found = client_conf_group(&own, group) != NULL;
	client_conf_free(&own);
	buf_free(&path);
	buf_free(&text);
	buf_free(&ignored);
	return found;
}

int
conf_add_hosts_check_group(
	const struct client_conf *conf, const char *group, struct buf *problem)
{
	if (*group == '\0' || group[strspn(group, GROUP_BYTES)] != '\0')
		return problem_add(problem,
			"'%s' is no name for a group; use letters, digits, "
			"'.', '_' and '-'",
			group);
	if (client_conf_group(conf, group) == NULL || is_own_group(group))
		return 0;
	return problem_add(problem,
		"the group %s is in " SYSCONFDIR "/bridle/" CLIENT_CONF_NAME
		"; choose another group, or edit that file",
		group);
}

/* True if the group has a host of this name. */
static bool
is_member(const struct hosts *members, const char *name)
{
	size_t i;

	for (i = 0; i < members->n; i++)
		if (strcasecmp(members->v[i].label, name) == 0)
			return true;
	return false;
}

/* Set the members `known` and `member` of each addition. Return 0 or -1. */
static int
mark_known(const struct client_conf *conf, struct conf_addition *v, size_t n,
	const char *group, struct buf *problem)
{
	struct buf list = { 0 };
	struct hosts members = { 0 };
	int result = 0;
	size_t i;

	if (group != NULL && client_conf_group(conf, group) != NULL) {
		buf_addf(&list, "@%s", group);
		result = host_expand(&members, conf, buf_str(&list), problem);
	}
	for (i = 0; result == 0 && i < n; i++) {
		v[i].known = client_conf_host(conf, v[i].name,
				     strlen(v[i].name)) != NULL;
		v[i].member = is_member(&members, v[i].name);
	}
	hosts_free(&members);
	buf_free(&list);
	return result;
}

/*
 * Create an empty file if there is none, because config_file_open() needs a
 * file. Set *created if the file is new. Return 0 or -1.
 */
static int
make_file(const char *path, bool *created, struct buf *problem)
{
	int fd;

	if (config_dir_make(path, problem) != 0)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	*created = fd != -1;
	if (fd == -1 && errno != EEXIST)
		return problem_add(problem, "%s: %s", path, strerror(errno));
	fd_close(&fd);
	return 0;
}

/* Add the hosts to the text. Then check that the text has all hosts. */
static int
change(struct buf *text, const char *path, const struct conf_addition *v,
	size_t n, const char *group, struct buf *problem)
{
	struct client_conf conf = { 0 };
	int result = client_conf_edit_add(text, v, n, group, problem);
	size_t i;

	if (result == 0)
		result = client_conf_read_text(
			&conf, buf_str(text), path, problem);
	for (i = 0; result == 0 && i < n; i++)
		if (!v[i].known && client_conf_host(&conf, v[i].name,
					   strlen(v[i].name)) == NULL)
			result = problem_add(problem,
				"cannot add %s to `hosts`: edit the file",
				v[i].name);
	client_conf_free(&conf);
	return result;
}

static int
write_copy(const struct config_file *f, const struct buf *text)
{
	int fd = open(f->copy, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
	int result = -1;

	if (fd != -1)
		result = fd_write_all(fd, text->data, text->len);
	if (result != 0)
		message_print("%s: %s", f->copy, strerror(errno));
	fd_close(&fd);
	return result;
}

static int
edit(struct config_file *f, const struct conf_addition *v, size_t n,
	const char *group, struct buf *problem)
{
	struct buf text = { 0 };
	int result;

	buf_add(&text, f->text, f->len);
	result = change(&text, f->path, v, n, group, problem);
	if (result == 0 &&
		(text.len != f->len || memcmp(text.data, f->text, f->len) != 0))
		result =
			write_copy(f, &text) == 0 ? config_file_install(f) : -1;
	buf_free(&text);
	return result;
}

int
conf_add_hosts(const struct client_conf *conf, struct conf_addition *v,
	size_t n, const char *group, struct buf *path)
{
	struct config_file file;
	struct buf problem = { 0 };
	bool created = false;
	int result = -1;

	if (mark_known(conf, v, n, group, &problem) == 0 &&
		config_dir_file(CLIENT_CONF_NAME, path, &problem) == 0 &&
		make_file(buf_str(path), &created, &problem) == 0 &&
		config_file_open(&file, buf_str(path)) == 0) {
		result = edit(&file, v, n, group, &problem);
		config_file_close(&file, false);
	}
	if (result != 0 && created)
		unlink(buf_str(path));
	if (problem.len > 0)
		message_lines(NULL, buf_str(&problem));
	buf_free(&problem);
	return result;
}
