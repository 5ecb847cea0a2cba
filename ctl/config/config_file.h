/*
 * A configuration file during an edit. This module locks the file, and puts a
 * copy in the same directory. The user edits the copy. When bridled accepts the
 * copy, the copy replaces the file.
 */
#ifndef BRIDLE_CONFIG_FILE_H
#define BRIDLE_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/*
 * Return the path with the real path of its folder. If the file itself is a
 * link, keep its name, because the folder conf.d is beside the link. The caller
 * frees the path. Return NULL if no memory is available.
 */
char *config_file_name(const char *file);

/*
 * Return the path of the main file. `name` is the result of config_file_name().
 * If the file `name` is in a folder conf.d, the main file is bridled.conf
 * beside this folder. Otherwise, the main file is `name`. The caller frees the
 * result. Return NULL if no memory is available.
 */
char *config_file_main(const char *name);

struct config_file {
	char *path; /* path of the file, with symbolic links resolved */
	int fd;
	struct stat st;
	char *text; /* text of the file before the edit */
	size_t len;
	char *copy; /* path of the copy */
};

/*
 * Open and lock the file, and make a copy that only the calling user can read.
 * Return 0, or -1 after printing a message.
 */
int config_file_open(struct config_file *, const char *path);

enum config_copy { COPY_SAME, COPY_CHANGED, COPY_BAD };

/*
 * Return the state of the copy. If the copy is empty or cannot be read, print a
 * message and return COPY_BAD.
 */
enum config_copy config_file_look(const struct config_file *);

/*
 * Replace the file by the copy. The copy gets the owner, group, mode and
 * extended attributes of the file. Return 0. If the file cannot be replaced,
 * leave the file unchanged, print a message and return -1.
 */
int config_file_install(struct config_file *);

/*
 * Remove the copy unless `keep_copy` is true, release the lock, and free the
 * members.
 */
void config_file_close(struct config_file *, bool keep_copy);

#endif
