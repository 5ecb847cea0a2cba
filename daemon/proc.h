/*
 * Processes as /proc shows them; see proc(5).
 */
#ifndef BRIDLE_PROC_H
#define BRIDLE_PROC_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_COMM_MAX 64  /* kernel threads may have more than 15 bytes */
#define PROC_NAME_MAX 255 /* what proc_name() gives: a file's name at most */

struct proc {
	pid_t pid;
	pid_t ppid;
	uid_t uid;
	char state;
	bool kernel; /* a kernel thread (PF_KTHREAD) */
	uint64_t rss_kib;
	uint64_t cpu_ms;
	uint64_t ticks; /* of its start, since boot */
	size_t commlen;
	char comm[PROC_COMM_MAX]; /* not NUL-terminated: any bytes */
};

/* /proc, opened once. -1 with errno. */
int proc_open(void);

/*
 * The pids there are now, ascending, in an array that the caller frees.
 * Reads the directory anew each time. -1 with errno.
 */
int proc_pids(int dir, pid_t **pids, size_t *n);

/*
 * Reads one process. -1 with errno (ENOENT or ESRCH: it is gone). The owner
 * is that of the folder /proc/PID: its files say root for some processes.
 */
int proc_read(int dir, pid_t, struct proc *);

/*
 * Its real, effective and saved user. A process of root's may for a moment
 * have another's rights, and shows him as its owner. -1 with errno.
 */
#define PROC_UIDS 3
int proc_uids(int dir, pid_t, uid_t[PROC_UIDS]);

/*
 * Whether this errno of proc_read() says that descriptors or memory are
 * short: then the process may well be there.
 */
bool proc_is_short(int error);

/*
 * Reads /proc/PID/cmdline into out (replacing it), at most max bytes; NULs
 * stand between the arguments. Empty for kernel threads and zombies, and
 * where it cannot be read.
 */
void proc_cmdline(int dir, pid_t, struct buf *out, size_t max);

/*
 * The name that list shows and kill takes: comm, or the base name of argv[0]
 * where comm is cut off at 15 bytes and that extends it. One that is longer
 * than any file's name is none: it would only serve to make a record too
 * long. The result points into p or into cmdline.
 */
const char *proc_name(
	const struct proc *p, const struct buf *cmdline, size_t *len);

/* Whether proc_name() needs the command line. */
bool proc_name_is_cut(const struct proc *);

/* Seconds since the epoch at which it started. */
uint64_t proc_started(const struct proc *);

/*
 * What names this process and no other, on this machine since it booted:
 * pid-ticks-boot. The boot part is 8 digits of the kernel's boot id.
 */
#define PROC_TOKEN_MAX 48
int proc_boot(char boot[9]);
void proc_token(const struct proc *, const char *boot, char *, size_t);

#endif
