/*
 * The file of --resume, which lists the hosts on which a command must still
 * run.
 *
 * The first line of the file has the command. A line for each host follows, and
 * then a line that ends the list. When the command is finished on a host, the
 * name of the host is appended immediately. Therefore the file is correct even
 * after a crash. When no host is left, the file is removed. The file is locked
 * while the command runs.
 */
#ifndef BRIDLE_RESUME_JOURNAL_H
#define BRIDLE_RESUME_JOURNAL_H

#include "cli/invocation.h"
#include "fanout/result.h"

#include <stdbool.h>
#include <stddef.h>

struct resume_journal {
	const char *path; /* path of the file; NULL without --resume */
	/*
	 * descriptor of the locked file; -1 if the file is only read or not
	 * used
	 */
	int fd;
	const struct invocation *inv;
	bool *left; /* true for each host that is left; indexed by host */
	size_t nleft;
	bool failed; /* true if a failed write was reported */
};

/*
 * Read the hosts that are left from the file. If there is no file, create a
 * file with all hosts. If `read_only` is true, do not create or change the
 * file. Without --resume, all hosts are left.
 *
 * Return 0, or -1 with a sentence appended to `error`. Errors are a file of
 * another command, a file that another process uses, and a failed write. In
 * both cases, free the struct with resume_journal_end().
 */
int resume_journal_begin(struct resume_journal *, const struct invocation *,
	bool read_only, struct buf *error);

/*
 * Mark the host of the result as finished, in the struct and in the file. If
 * the result is a failure, do nothing.
 */
void resume_journal_remove(struct resume_journal *, const struct result *);

/*
 * If no host is left, remove the file. Otherwise print the number of hosts that
 * are left. Free the struct.
 */
void resume_journal_end(struct resume_journal *);

#endif
