#include "conf_files.h"

#include "conf.h"
#include "trusted_path.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDER_NAME "conf.d"
#define SUFFIX ".conf"

char *
conf_files_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct buf folder = { 0 };

	if (slash != NULL)
		buf_add(&folder, path, (size_t)(slash - path) + 1);
	buf_adds(&folder, FOLDER_NAME);
	buf_str(&folder);
	if (!folder.failed)
		return folder.data;
	buf_free(&folder);
	return NULL;
}

/* Append an error about a path. Return -1. */
static int
fail(const char *path, const char *why, struct buf *errors)
{
	struct conf c = { .name = path, .errors = errors };

	conf_error(&c, NULL, "%s", why);
	return -1;
}

static bool
is_name(const char *name)
{
	size_t len = strlen(name), end = strlen(SUFFIX);

	return name[0] != '.' && len > end &&
	       strcmp(name + len - end, SUFFIX) == 0;
}

bool
conf_files_is_drop_in(const char *path)
{
	static const char folder[] = "/" FOLDER_NAME;
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) : 0;
	size_t end = strlen(folder);

	if (slash == NULL || !is_name(slash + 1))
		return false;
	if (len >= end)
		return memcmp(slash - end, folder, end) == 0;
	return len == end - 1 && memcmp(path, FOLDER_NAME, len) == 0;
}

static int
is_wanted(const struct dirent *entry)
{
	return is_name(entry->d_name);
}

static int
compare(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/*
 * Return the path of a file in the folder. Return NULL if no memory is
 * available.
 */
static char *
join(const char *folder, const char *name)
{
	struct buf path = { 0 };

	buf_addf(&path, "%s/%s", folder, name);
	buf_str(&path);
	if (!path.failed)
		return path.data;
	buf_free(&path);
	return NULL;
}

int
conf_files_list(
	const char *folder, char ***paths, size_t *n, struct buf *errors)
{
	struct dirent **entries;
	int found = scandir(folder, &entries, is_wanted, compare), i;
	const char *why = NULL;

	*paths = NULL;
	*n = 0;
	if (found == -1)
		return errno == ENOENT ? 0
				       : fail(folder, strerror(errno), errors);
	if (found > CONF_FILES_MAX)
		why = "has too many files";
	else if ((*paths = calloc((size_t)found + 1, sizeof(**paths))) == NULL)
		why = "out of memory";
	for (i = 0; i < found; i++) {
		if (why == NULL && ((*paths)[(*n)++] = join(folder,
					    entries[i]->d_name)) == NULL)
			why = "out of memory";
		free(entries[i]);
	}
	free(entries);
	return why != NULL ? fail(folder, why, errors) : 0;
}

void
conf_files_free_paths(char **paths, size_t n)
{
	while (paths != NULL && n > 0)
		free(paths[--n]);
	free(paths);
}

int
conf_files_add(struct conf_files *f, const char *name, const char *text)
{
	struct conf_file *v = reallocarray(f->v, f->n + 1, sizeof(*v));

	if (v == NULL)
		return -1;
	f->v = v;
	v += f->n;
	v->name = strdup(name);
	v->text = strdup(text);
	if (v->name != NULL && v->text != NULL) {
		f->n++;
		return 0;
	}
	free(v->name);
	free(v->text);
	return -1;
}

/* The state of conf_files_read(). */
struct reading {
	struct conf_files *files;
	const struct conf_stand_in *stand_in; /* may be NULL */
	size_t size; /* total bytes of the files read so far */
	struct buf *errors;
};

/*
 * Read the file `path`, and store its text under the path `name`. Return 0, or
 * -1 with an error.
 */
static int
read_one(struct reading *r, const char *name, const char *path)
{
	struct buf text = { 0 };
	int result = conf_read(path, &text, r->errors);

	r->size += text.len;
	if (result == 0 && r->size > CONF_SIZE_MAX)
		result = fail(name,
			"makes the whole configuration larger than 1 MiB",
			r->errors);
	else if (result == 0 &&
		 conf_files_add(r->files, name, buf_str(&text)) != 0)
		result = fail(name, "out of memory", r->errors);
	buf_free(&text);
	return result;
}

/*
 * Check that only trusted users can add or remove files in the folder. Return
 * 0, or -1 with an error.
 */
static int
check_folder(const char *folder, struct buf *errors)
{
	struct buf why = { 0 };
	struct stat st;
	int result = 0;

	if (stat(folder, &st) == 0 && !trusted_path(folder, &why))
		result = fail(folder, buf_str(&why), errors);
	buf_free(&why);
	return result;
}

/*
 * Like read_one(), but a file that no longer exists is no error. Another
 * program can remove the file after the call of conf_files_list().
 */
static int
read_listed(struct reading *r, const char *path)
{
	size_t before = r->errors->len;
	int result = read_one(r, path, path);
	struct stat st;

	if (result == 0 || lstat(path, &st) == 0 || errno != ENOENT)
		return result;
	r->errors->len = before;
	return 0;
}

/*
 * Read the files of the folder in the order of their names. Read the stand-in
 * at the place that its path `name` has in this order. Return 0, or -1 with
 * errors.
 */
static int
read_paths(struct reading *r, char *const *paths, size_t n)
{
	const struct conf_stand_in *other = r->stand_in;
	int result = 0, order;
	size_t i;

	for (i = 0; i < n && r->size <= CONF_SIZE_MAX; i++) {
		order = other != NULL ? strcmp(other->name, paths[i]) : 1;
		if (order <= 0) {
			result |= read_one(r, other->name, other->path);
			other = NULL;
		}
		if (order != 0)
			result |= read_listed(r, paths[i]);
	}
	if (other != NULL && r->size <= CONF_SIZE_MAX)
		result |= read_one(r, other->name, other->path);
	return result;
}

int
conf_files_read_with(struct conf_files *f, const char *path, const char *folder,
	const struct conf_stand_in *stand_in, struct buf *errors)
{
	struct reading r = { f, stand_in, 0, errors };
	char **paths = NULL;
	size_t n = 0;
	int result;

	memset(f, 0, sizeof(*f));
	result = read_one(&r, path, path);
	if (folder == NULL)
		return result;
	if (check_folder(folder, errors) != 0 ||
		conf_files_list(folder, &paths, &n, errors) != 0)
		result = -1;
	else
		result |= read_paths(&r, paths, n);
	conf_files_free_paths(paths, n);
	return result;
}

int
conf_files_read(struct conf_files *f, const char *path, const char *folder,
	struct buf *errors)
{
	return conf_files_read_with(f, path, folder, NULL, errors);
}

void
conf_files_pack(const struct conf_files *f, struct buf *out)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		buf_add(out, f->v[i].name, strlen(f->v[i].name) + 1);
		buf_add(out, f->v[i].text, strlen(f->v[i].text) + 1);
	}
}

int
conf_files_unpack(struct conf_files *f, const char *data, size_t len)
{
	const char *end = data + len, *text, *next;

	memset(f, 0, sizeof(*f));
	for (; data < end; data = next + 1) {
		text = memchr(data, '\0', (size_t)(end - data));
		if (text++ == NULL ||
			(next = memchr(text, '\0', (size_t)(end - text))) ==
				NULL ||
			conf_files_add(f, data, text) != 0)
			return -1;
	}
	return 0;
}

void
conf_files_free(struct conf_files *f)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		free(f->v[i].name);
		free(f->v[i].text);
	}
	free(f->v);
	memset(f, 0, sizeof(*f));
}
