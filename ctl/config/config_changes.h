/*
 * Changes to configuration files that can be undone. A list of changes has the
 * text that each file had before.
 */
#ifndef BRIDLE_CONFIG_CHANGES_H
#define BRIDLE_CONFIG_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

struct config_change {
	char *path;
	char *before; /* text before the change; NULL: there was no file */
	size_t len;   /* length of `before` in bytes */
};

/* A list of changes, the oldest first. Initially, all members are zero. */
struct config_changes {
	size_t n;
	struct config_change *v;
};

/*
 * Add a change that the caller has already made. `before` may be NULL. The
 * function copies its arguments. Return 0, or -1 after printing a message.
 */
int config_changes_add(struct config_changes *, const char *path,
	const char *before, size_t len);

/*
 * Give the file this text, and add the change to the list. If the file exists,
 * keep its owner, group and mode. Otherwise create the file with the mode 0644,
 * owned by the calling user. If the folder of the file is missing, create the
 * folder with the mode 0755. If `text` is NULL, remove the file. rename(2)
 * replaces the old file as a whole. Return 0. On failure, leave the file
 * unchanged, print a message, and return -1.
 */
int config_changes_write(struct config_changes *, const char *path,
	const char *text, size_t len);

/*
 * Undo all changes, the newest first. Save the text of each changed file as
 * PATH.rejected, unless `keep` is false. Return 0, or -1 after printing a
 * message for each file that could not be restored.
 */
int config_changes_undo(const struct config_changes *, bool keep);

/* Free the list. The files stay as they are. */
void config_changes_free(struct config_changes *);

#endif
