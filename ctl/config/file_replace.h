/*
 * Replaces files as a whole, by rename(2). A reader sees the old text or the
 * new text, and never a part of a text.
 */
#ifndef BRIDLE_FILE_REPLACE_H
#define BRIDLE_FILE_REPLACE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Replace the file `path` by the file `fresh`. The file `fresh` must be in the
 * same folder, and `fd` must be its open descriptor. Copy the owner, group,
 * mode and extended attributes of the open file `old` to the new file. If `old`
 * is -1, copy nothing. Return 0. On failure, leave both files unchanged, print
 * a message and return -1.
 */
int file_replace(const char *path, const char *fresh, int fd, int old);

/*
 * Give the file this text. If the file exists, keep its owner, group, mode and
 * extended attributes. Otherwise create the file with the mode `mode`. `path`
 * must be absolute. Return 0, or -1 after printing a message.
 */
int file_replace_text(
	const char *path, const char *text, size_t len, mode_t mode);

#endif
