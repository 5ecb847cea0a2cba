/*
 * The file of --resume lists the hosts that a command must still reach.
 *
 * The first line of the file holds the command. A line for each host follows,
 * and then a line that ends the list. When a host is finished, its name is
 * appended to the file immediately. The file is therefore correct even after a
 * crash. When no host is left, the file is removed. During the command, the
 * file is locked.
 */
#ifndef BRIDLE_RESUME_JOURNAL_H
#define BRIDLE_RESUME_JOURNAL_H

#include "cli/invocation.h"
#include "fanout/result.h"

#include <stdbool.h>
#include <stddef.h>

struct resume_journal {
	const char *path; /* path of the file; NULL without --resume */
	int fd; /* locked file; -1 if the file is only read, or is not used */
	const struct invocation *inv;
	bool *left; /* true for each host that is left; indexed by host */
	size_t nleft;
	bool failed; /* true if a failed write was reported */
};

/*
 * Read the hosts that are left from the file. If there is no file, create the
 * file with all hosts. If `read_only` is true, do not create or change the
 * file. Without --resume, all hosts are left.
 *
 * Return 0, or -1 with a sentence appended to `error`. An error is a file of
 * another command, a file in use, or a failed write. In both cases, free the
 * struct with resume_journal_end().
 */
int resume_journal_begin(struct resume_journal *, const struct invocation *,
	bool read_only, struct buf *error);

/*
 * If the result is not a failure, mark its host as finished, also in the file.
 */
void resume_journal_remove(struct resume_journal *, const struct result *);

/*
 * If no host is left, remove the file. Otherwise print the number of hosts that
 * are left. Free the struct.
 */
void resume_journal_end(struct resume_journal *);

#endif
