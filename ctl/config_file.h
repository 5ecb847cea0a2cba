/*
 * A configuration file that is being edited: the file itself, locked, and a
 * copy beside it that takes its place when all is well.
 */
#ifndef BRIDLE_CONFIG_FILE_H
#define BRIDLE_CONFIG_FILE_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct config_file {
	char *path; /* where links lead to */
	int fd;
	struct stat st;
	char *text; /* as it was */
	size_t len;
	char *copy; /* its path */
};

/*
 * Opens and locks the file, and makes a copy that nobody else can read. -1
 * with the reason, which tells who else is editing it.
 */
int config_file_open(
	struct config_file *, const char *path, struct buf *problem);

enum config_copy { COPY_SAME, COPY_CHANGED, COPY_BAD };

/* What became of the copy; BAD (empty, say) with the reason. */
enum config_copy config_file_look(
	const struct config_file *, struct buf *problem);

/*
 * Puts the copy in the file's place, with its owner, group, mode, access
 * control list and the like. -1 with the reason, and nothing has changed.
 */
int config_file_install(struct config_file *, struct buf *problem);

/* Removes the copy (or leaves it where it is), and lets go of the lock. */
void config_file_close(struct config_file *, bool keep_copy);

#endif
