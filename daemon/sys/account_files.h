/*
 * The local files passwd(5) and subuid(5). The uids in passwd(5) have an
 * account. All other uids in the ranges of subuid(5) have no account.
 */
#ifndef BRIDLE_ACCOUNT_FILES_H
#define BRIDLE_ACCOUNT_FILES_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* maximum number of uids of passwd(5), and of ranges of subuid(5) */
#define ACCOUNT_FILES_UIDS 65536
#define ACCOUNT_FILES_RANGES 4096

/* A range of subordinate uids. */
struct account_range {
	uint32_t first, n;
};

/* The content of both files. A zeroed struct is empty. */
struct account_files {
	size_t nuids;
	uid_t *uids; /* uids of passwd(5), sorted */
	size_t nranges;
	struct account_range *ranges;
};

/*
 * Append the content of both files in a form for account_files_take(). The
 * function can wait for the file system. A missing file counts as empty.
 */
void account_files_read(struct buf *);

/*
 * Replace the content by `len` bytes of account_files_read(). If bytes are
 * missing, keep the old content.
 */
void account_files_take(struct account_files *, const void *, size_t len);

/* True if passwd(5) has the uid. */
bool account_files_has(const struct account_files *, uid_t);

/* True if a range of subuid(5) has the uid. */
bool account_files_subordinate(const struct account_files *, uid_t);

/* Free the content, but not the struct. */
void account_files_free(struct account_files *);

#endif
