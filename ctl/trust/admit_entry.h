/*
 * The text of a file in conf.d that has the entry of one client.
 */
#ifndef BRIDLE_ADMIT_ENTRY_H
#define BRIDLE_ADMIT_ENTRY_H

#include "buf.h"
#include "trust/admit.h"

/*
 * Append the text of a new file with the entry. Returns 0, or -1 after printing
 * a message.
 */
int admit_entry_new(const struct admit *, struct buf *out);

/*
 * Append the text of the file `path` after a change of the entry. The entry
 * gets these keys, which are separated by commas, and the values that are
 * given. All other settings of the file stay as they are. Returns 0, or -1
 * after printing a message.
 */
int admit_entry_edit(const struct admit *, const char *path, const char *keys,
	struct buf *out);

#endif
