#include "hosts/mac_file.h"

#include "fd.h"
#include "util/config_dir.h"
#include "util/locked_file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "macs"

static const char header[] =
	"# MAC addresses that bridlectl has learnt, for 'bridlectl wake'.\n";

/*
 * Append the name that the host has in the file. This name is the host's label
 * in lower case, without the port. Hosts that differ only in the port are on
 * the same machine.
 */
static void
add_name(struct buf *out, const struct host *h)
{
	size_t start = out->len, i;

	hosts_name(h, out);
	out->len = start + target_name_len(out->data + start, out->len - start);
	for (i = start; i < out->len; i++)
		out->data[i] = (char)tolower((unsigned char)out->data[i]);
}

/*
 * Return the line in the text that begins with the name and a space, or NULL.
 */
static const char *
find_line(const char *text, const char *name, size_t len)
{
	for (; text != NULL && *text != '\0'; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, name, len) == 0 && text[len] == ' ')
			return text;
	}
	return NULL;
}

bool
mac_file_find(
	const char *text, const struct host *h, unsigned char mac[MAC_SIZE])
{
	char copy[MAC_TEXT_SIZE] = "";
	struct buf name = { 0 };
	const char *line;

	add_name(&name, h);
	line = find_line(text, buf_str(&name), name.len);
	if (line != NULL)
		snprintf(copy, sizeof(copy), "%.*s", MAC_TEXT_SIZE - 1,
			line + name.len + 1);
	buf_free(&name);
	return mac_parse(copy, mac);
}

void
mac_file_add_line(struct buf *changes, const struct host *h,
	const unsigned char mac[MAC_SIZE])
{
	char text[MAC_TEXT_SIZE];

	mac_format(mac, text);
	add_name(changes, h);
	buf_addf(changes, " %s\n", text);
}

static int
find_path(struct buf *path, struct buf *problem)
{
	return config_dir_state_file(NAME, path, problem);
}

char *
mac_file_read(struct buf *problem)
{
	struct buf path = { 0 };
	char *text = NULL;
	size_t len;

	if (find_path(&path, problem) == 0)
		text = locked_file_read(buf_str(&path), &len, problem);
	buf_free(&path);
	return text;
}

/*
 * Append the lines of `old` whose hosts have no line in `changes`, and then the
 * changes.
 */
static void
merge(struct buf *out, const char *old, const char *changes)
{
	size_t len;

	if (*old == '\0')
		buf_adds(out, header);
	for (; *old != '\0'; old += len) {
		len = strcspn(old, "\n");
		if (find_line(changes, old, strcspn(old, " \n")) == NULL) {
			buf_add(out, old, len);
			buf_addc(out, '\n');
		}
		len += old[len] == '\n';
	}
	buf_adds(out, changes);
}

/* True if the text has each line of the changes. */
static bool
has_all(const char *text, const char *changes)
{
	const char *line;
	size_t len;

	for (; *changes != '\0'; changes += len) {
		len = strcspn(changes, "\n") + 1;
		line = find_line(text, changes, strcspn(changes, " "));
		if (line == NULL || strncmp(line, changes, len) != 0)
			return false;
	}
	return true;
}

/* Change the file. The caller must hold the lock. */
static int
change(const char *path, const char *changes, struct buf *problem)
{
	struct buf out = { 0 };
	size_t len;
	char *old = locked_file_read(path, &len, problem);
	int result = old == NULL ? -1 : 0;

	if (old != NULL && !has_all(old, changes)) {
		merge(&out, old, changes);
		result = locked_file_replace(path, &out, problem);
	}
	buf_free(&out);
	free(old);
	return result;
}

int
mac_file_update(struct buf *changes, struct buf *problem)
{
	struct buf path = { 0 };
	int lock, result = -1;

	if (find_path(&path, problem) == 0 &&
		config_dir_make(buf_str(&path), problem) == 0 &&
		(lock = locked_file_lock(buf_str(&path), problem)) != -1) {
		result = change(buf_str(&path), buf_str(changes), problem);
		fd_close(&lock);
	}
	buf_free(&path);
	return result;
}
