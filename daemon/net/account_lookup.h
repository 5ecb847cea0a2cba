/*
 * The uids that have an account on this machine. An account can own 65,536
 * subordinate uids (subuid(5)), which have no account. The daemon counts all
 * uids without an account as one source.
 *
 * The daemon reads the local files at its start, and the child of a reload
 * reads these files again. A child process with a deadline asks the name
 * service about other uids, because the name service may hang.
 */
#ifndef BRIDLE_ACCOUNT_LOOKUP_H
#define BRIDLE_ACCOUNT_LOOKUP_H

#include "buf.h"
#include "config/settings.h"
#include "sys/account_files.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ACCOUNTS_RESULTS_MAX 256 /* maximum number of stored results */
/* maximum number of uids that wait for a look-up */
#define ACCOUNTS_QUEUE_MAX 32

/* The result of the name service for a uid. */
struct account_result {
	uid_t uid;
	bool exists;
	int64_t until; /* clock_ms() at which to ask again */
};

/* Initially, all members are zero except fd = -1. */
struct accounts {
	struct account_files files;
	size_t nresults;
	struct account_result results[ACCOUNTS_RESULTS_MAX];
	size_t nqueue; /* number of uids that wait for the next child */
	uid_t queue[ACCOUNTS_QUEUE_MAX];
	size_t nasked; /* number of uids that the running child looks up */
	uid_t asked[ACCOUNTS_QUEUE_MAX];
	pid_t pid;        /* process ID of the child; 0 once reaped */
	int fd;           /* pipe from the running child, or -1 */
	int64_t deadline; /* clock_ms() at which to kill the child */
	struct buf answer;
	int64_t next_start; /* earliest start of the next child */
};

/*
 * Read the local files. Call this only at the start of the daemon, because the
 * function can wait for the file system.
 */
void accounts_read_files(struct accounts *);

/* Forget the results of the name service. A reload calls this function. */
void accounts_clear(struct accounts *);

/*
 * True if the uid has an account, or if an entry of the settings names the uid.
 * If the daemon does not know this yet, return false, and let a child ask the
 * name service.
 */
bool accounts_has(struct accounts *, const struct settings *, uid_t);

/* Read a part of the child's answer from `fd`. */
void accounts_read(struct accounts *);

/*
 * Kill a child whose deadline has passed. Start a child if uids are in the
 * queue and `next_start` has passed. Return the time of the next call, or
 * CLOCK_NEVER.
 */
int64_t accounts_expire(struct accounts *, int64_t now);

/* True if the reaped child was a child of these look-ups. */
bool accounts_reaped(struct accounts *, pid_t);

/* Kill the child, and free the content of the local files. */
void accounts_close(struct accounts *);

#endif
