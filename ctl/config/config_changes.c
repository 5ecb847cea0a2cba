#include "config/config_changes.h"

#include "buf.h"
#include "config/file_replace.h"
#include "fd.h"
#include "util/message.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_LIMIT (1024 * 1024)
#define FILE_MODE 0644
#define FOLDER_MODE 0755

static int
fail(const char *path)
{
	message_print("%s: %s", path, strerror(errno));
	return -1;
}

static char *
duplicate(const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (copy != NULL) {
		memcpy(copy, text, len);
		copy[len] = '\0';
	}
	return copy;
}

int
config_changes_add(struct config_changes *c, const char *path,
	const char *before, size_t len)
{
	struct config_change *v = realloc(c->v, (c->n + 1) * sizeof(*v));
	struct config_change *new;

	if (v == NULL)
		return fail(path);
	c->v = v;
	new = &v[c->n];
	*new = (struct config_change){ .path = strdup(path), .len = len };
	if (before != NULL)
		new->before = duplicate(before, len);
	if (new->path == NULL || (before != NULL && new->before == NULL)) {
		free(new->path);
		free(new->before);
		return fail(path);
	}
	c->n++;
	return 0;
}

/*
 * Read a file into *text. If the file does not exist, set *text to NULL. Return
 * 0, or -1 after printing a message.
 */
static int
read_file(const char *path, char **text, size_t *len)
{
	int fd = open(path,
		O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);

	*text = NULL;
	*len = 0;
	if (fd == -1)
		return errno == ENOENT ? 0 : fail(path);
	*text = fd_read_all(fd, SIZE_LIMIT, len);
	fd_close(&fd);
	return *text != NULL ? 0 : fail(path);
}

static int
make_folder(const char *path)
{
	char *copy = strdup(path);
	int result = -1;

	if (copy != NULL)
		result = mkdir(dirname(copy), FOLDER_MODE);
	if (result != 0 && copy != NULL && errno == EEXIST)
		result = 0;
	free(copy);
	return result == 0 ? 0 : fail(path);
}

/* Give the file this text, or remove the file if `text` is NULL. */
static int
put(const char *path, const char *text, size_t len)
{
	if (text == NULL)
		return unlink(path) == 0 || errno == ENOENT ? 0 : fail(path);
	return file_replace_text(path, text, len, FILE_MODE);
}

int
config_changes_write(struct config_changes *c, const char *path,
	const char *text, size_t len)
{
	char *before;
	size_t before_len;
	int result;

	if (read_file(path, &before, &before_len) != 0)
		return -1;
	result = text != NULL ? make_folder(path) : 0;
	if (result == 0)
		result = config_changes_add(c, path, before, before_len);
	free(before);
	if (result != 0)
		return -1;
	result = put(path, text, len);
	if (result != 0) {
		c->n--;
		free(c->v[c->n].path);
		free(c->v[c->n].before);
	}
	return result;
}

/* Save the present text of the file as PATH.rejected. */
static int
save_rejected(const char *path)
{
	struct buf to = { 0 };
	char *text;
	size_t len;
	int result = read_file(path, &text, &len);

	buf_addf(&to, "%s.rejected", path);
	if (result == 0 && text != NULL) {
		result = file_replace_text(buf_str(&to), text, len, 0600);
		if (result == 0)
			message_print("the rejected text is in %s", to.data);
	}
	free(text);
	buf_free(&to);
	return result;
}

int
config_changes_undo(const struct config_changes *c, bool keep)
{
	const struct config_change *change;
	size_t i;
	int result = 0;

	for (i = c->n; i-- > 0;) {
		change = &c->v[i];
		/*
		 * Do not restore the file if its rejected text cannot be saved.
		 */
		if ((keep && save_rejected(change->path) != 0) ||
			put(change->path, change->before, change->len) != 0)
			result = -1;
	}
	return result;
}

void
config_changes_free(struct config_changes *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		free(c->v[i].path);
		free(c->v[i].before);
	}
	free(c->v);
	*c = (struct config_changes){ 0 };
}
