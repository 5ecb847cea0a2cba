#include "config/config_served.h"

#include "buf.h"
#include "conf_files.h"
#include "config/file_replace.h"
#include "config/run_bridled.h"
#include "fd.h"
#include "trusted_path.h"
#include "util/message.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_LIMIT (4 * 1024 * 1024)
#define FOLDER "conf.d"
/*
 * The copy has this line before each file. NAME is relative to the folder of
 * the main file, and LENGTH is the length of the text in bytes. A line end
 * follows the text.
 */
#define HEAD "# bridlectl: file "

/*
 * Append the path of a file of the configuration. If the main file is a link,
 * append the path of its target, because a link must stay a link.
 */
static void
add_path(const char *file, const char *name, size_t len, struct buf *path)
{
	char *target = NULL;

	if (memchr(name, '/', len) == NULL &&
		(target = realpath(file, NULL)) != NULL) {
		buf_adds(path, target);
		free(target);
		return;
	}
	buf_add(path, file, (size_t)(strrchr(file, '/') + 1 - file));
	buf_add(path, name, len);
}

static char *
read_text(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = fd != -1 ? fd_read_all(fd, SIZE_LIMIT, len) : NULL;

	fd_close(&fd);
	return text;
}

/* Append the file to the copy if the file exists. */
static void
pack(const char *file, const char *name, struct buf *out)
{
	struct buf path = { 0 };
	size_t len;
	char *text;

	add_path(file, name, strlen(name), &path);
	if ((text = read_text(buf_str(&path), &len)) != NULL) {
		buf_addf(out, HEAD "%zu %s\n", len, name);
		buf_add(out, text, len);
		buf_addc(out, '\n');
	}
	free(text);
	buf_free(&path);
}

/* Call `use` with the name of each file in conf.d, in the order of names. */
static void
each_name(const char *file, void (*use)(const char *, const char *, void *),
	void *data)
{
	char *folder = conf_files_folder(file);
	struct buf errors = { 0 }, name = { 0 };
	char **paths = NULL;
	size_t i, n = 0;
	bool good = folder != NULL &&
		    conf_files_list(folder, &paths, &n, &errors) == 0;

	for (i = 0; good && i < n; i++) {
		buf_reset(&name);
		buf_addf(&name, FOLDER "%s", strrchr(paths[i], '/'));
		use(file, buf_str(&name), data);
	}
	conf_files_free_paths(paths, n);
	buf_free(&errors);
	buf_free(&name);
	free(folder);
}

static void
pack_name(const char *file, const char *name, void *out)
{
	pack(file, name, out);
}

int
config_served_save(const char *file)
{
	struct buf text = { 0 }, path = { 0 };
	int result = -1;

	pack(file, strrchr(file, '/') + 1, &text);
	each_name(file, pack_name, &text);
	buf_addf(&path, "%s.served", file);
	buf_str(&path);
	if (!text.failed && !path.failed)
		result =
			file_replace_text(path.data, text.data, text.len, 0600);
	/*
	 * Remove an old copy. If an undo restored this copy, revoked clients
	 * could come back.
	 */
	if (result != 0 && !path.failed)
		unlink(path.data);
	buf_free(&text);
	buf_free(&path);
	return result;
}

/* One file of the copy. */
struct packed {
	const char *name;
	size_t name_len;
	const char *text;
	size_t len;
};

/*
 * Read the file that begins at *at in the copy, and set *at to the end of this
 * file. Return false at the end of the copy, or if the copy is malformed.
 */
static bool
unpack(const char **at, const char *end, struct packed *p)
{
	const char *line_end = memchr(*at, '\n', (size_t)(end - *at));
	char *after;

	if (line_end == NULL || strncmp(*at, HEAD, strlen(HEAD)) != 0)
		return false;
	p->len = strtoul(*at + strlen(HEAD), &after, 10);
	if (*after != ' ' || (size_t)(end - line_end) < p->len + 2)
		return false;
	p->name = after + 1;
	p->name_len = (size_t)(line_end - p->name);
	p->text = line_end + 1;
	*at = p->text + p->len + 1;
	return true;
}

/* The copy, and the changes that lead from the copy to the present files. */
struct comparison {
	const char *text;
	size_t len;
	struct config_changes *changes;
};

/* Add a change if the file differs from the copy. */
static void
compare_file(const char *file, const struct packed *p, struct comparison *c)
{
	struct buf path = { 0 };
	size_t len = 0;
	char *text;

	add_path(file, p->name, p->name_len, &path);
	text = read_text(buf_str(&path), &len);
	if (text == NULL || len != p->len || memcmp(text, p->text, len) != 0)
		config_changes_add(c->changes, buf_str(&path), p->text, p->len);
	free(text);
	buf_free(&path);
}

/* Add a change if the copy lacks this file of conf.d. */
static void
compare_name(const char *file, const char *name, void *data)
{
	struct comparison *c = data;
	const char *at = c->text;
	struct buf path = { 0 };
	struct packed p;

	while (unpack(&at, c->text + c->len, &p))
		if (p.name_len == strlen(name) &&
			memcmp(p.name, name, p.name_len) == 0)
			return;
	add_path(file, name, strlen(name), &path);
	config_changes_add(c->changes, buf_str(&path), NULL, 0);
	buf_free(&path);
}

static bool
compare(const char *file, struct comparison *c)
{
	const char *at = c->text, *end = c->text + c->len;
	struct packed p;

	while (unpack(&at, end, &p))
		compare_file(file, &p, c);
	each_name(file, compare_name, c);
	return at == end && c->len > 0;
}

/* Write the file `name` below `folder`. Return false on failure. */
static bool
write_file(const char *folder, const struct packed *p)
{
	struct buf path = { 0 };
	bool good = false;
	int fd;

	buf_addf(&path, "%s/%.*s", folder, (int)p->name_len, p->name);
	fd = open(
		buf_str(&path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd != -1)
		good = fd_write_all(fd, p->text, p->len) == 0;
	fd_close(&fd);
	buf_free(&path);
	return good;
}

/*
 * Write the files of the copy below `folder`. If `remove` is true, remove these
 * files instead.
 */
static bool
unpack_all(const char *folder, const struct comparison *c, bool remove)
{
	const char *at = c->text;
	struct buf path = { 0 };
	struct packed p;
	bool good = true;

	while (unpack(&at, c->text + c->len, &p)) {
		buf_reset(&path);
		buf_addf(&path, "%s/%.*s", folder, (int)p.name_len, p.name);
		if (remove)
			unlink(buf_str(&path));
		else
			good &= write_file(folder, &p);
	}
	buf_free(&path);
	return good;
}

/*
 * Append all settings of the copy, as bridled prints them. The main file of the
 * copy is the first file. Return false on failure.
 */
static bool
show(const char *file, const struct comparison *c, struct buf *settings)
{
	/*
	 * Make a new folder for the files. bridled reads files only in folders
	 * that only trusted users can write.
	 */
	char folder[] = "/tmp/bridlectl-XXXXXX";
	struct buf path = { 0 }, drop_ins = { 0 }, errors = { 0 };
	const char *args[] = { "--show", NULL, NULL };
	bool good = false;

	if (mkdtemp(folder) == NULL)
		return false;
	buf_addf(&drop_ins, "%s/" FOLDER, folder);
	buf_addf(&path, "%s%s", folder, strrchr(file, '/'));
	args[1] = buf_str(&path);
	if (mkdir(buf_str(&drop_ins), 0700) == 0 &&
		unpack_all(folder, c, false))
		good = run_bridled(args, settings, &errors) == 0;
	unpack_all(folder, c, true);
	rmdir(buf_str(&drop_ins));
	rmdir(folder);
	buf_free(&path);
	buf_free(&drop_ins);
	buf_free(&errors);
	return good;
}

/* True if the daemon serves the settings of the copy. */
static bool
is_served(const char *file, const struct comparison *c, const char *effective)
{
	struct buf settings = { 0 };
	bool same = show(file, c, &settings) &&
		    strcmp(buf_str(&settings),
			    config_effective_settings(effective)) == 0;

	buf_free(&settings);
	return same;
}

/*
 * Read the copy, which the caller frees. Return NULL if there is no copy that
 * this user can trust.
 */
static char *
read_copy(const char *file, size_t *len)
{
	struct buf path = { 0 }, why = { 0 };
	char *text = NULL;
	int fd = -1;

	buf_addf(&path, "%s.served", file);
	if (access(buf_str(&path), F_OK) == 0)
		fd = trusted_open(path.data, O_RDONLY, 0, &why);
	if (fd != -1)
		text = fd_read_all(fd, SIZE_LIMIT, len);
	message_lines(NULL, buf_str(&why));
	fd_close(&fd);
	buf_free(&path);
	buf_free(&why);
	return text;
}

bool
config_served_compare(
	const char *file, const char *effective, struct config_changes *changes)
{
	struct comparison c = { .changes = changes };
	char *text = read_copy(file, &c.len);
	bool good = false;

	c.text = text;
	if (text != NULL &&
		(effective == NULL || is_served(file, &c, effective)))
		good = compare(file, &c);
	if (!good)
		config_changes_free(changes);
	free(text);
	return good;
}
