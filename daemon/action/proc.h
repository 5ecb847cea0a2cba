/*
 * Functions that read processes from /proc; see proc(5).
 */
#ifndef BRIDLE_PROC_H
#define BRIDLE_PROC_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* bytes of comm; kernel threads may have more than 15 */
#define PROC_COMM_MAX 64
/* maximum number of bytes of a name from proc_name() */
#define PROC_NAME_MAX 255

struct proc {
	pid_t pid;
	pid_t ppid;
	uid_t uid;
	char state;
	bool kernel; /* the process is a kernel thread (PF_KTHREAD) */
	uint64_t rss_kib;
	uint64_t cpu_ms;
	uint64_t ticks; /* start time in clock ticks since the boot */
	uint64_t inode; /* inode of the pidfd, see proc_inode(); 0 if unknown */
	size_t commlen;
	/* name of `commlen` bytes, without a NUL at the end */
	char comm[PROC_COMM_MAX];
};

/*
 * Open /proc. Return the descriptor, which the caller closes, or -1 with errno.
 */
int proc_open(void);

/*
 * proc_hides_others() returns true if /proc hides other users' processes from
 * this process; see hidepid in proc(5). Call this function after this process
 * has dropped its capabilities. PROC_HIDDEN describes the hidden processes in
 * messages.
 */
#define PROC_HIDDEN "other users' processes: /proc is mounted with hidepid"
bool proc_hides_others(int dir);

/*
 * Store the pids of all processes in a new array in ascending order. The caller
 * frees the array. Return 0, or -1 with errno.
 */
int proc_pids(int dir, pid_t **pids, size_t *n);

/*
 * Read one process. Set `uid` to the owner of the folder /proc/PID. The owner
 * of the files in this folder is not used, because root owns these files for
 * some processes. Return 0, or -1 with errno: ENOENT or ESRCH if the process is
 * gone.
 */
int proc_read(int dir, pid_t, struct proc *);

/*
 * Read the real, effective and saved uid of a process. The owner of /proc/PID
 * is not enough, because a root process may change its effective uid for a
 * moment. Return 0, or -1 with errno.
 */
#define PROC_UIDS 3
int proc_uids(int dir, pid_t, uid_t[PROC_UIDS]);

/*
 * True if this errno of proc_read() means that descriptors or memory have run
 * out. In that case, the process may still exist.
 */
bool proc_is_short(int error);

/*
 * Replace `out` by at most `max` bytes of /proc/PID/cmdline, in which a NUL
 * ends each argument. The result is empty for kernel threads and zombies, and
 * after an error.
 */
void proc_cmdline(int dir, pid_t, struct buf *out, size_t max);

/*
 * Return the process name that the verb `list` shows and the verb `kill`
 * matches. Store the length of the name in *len. The name is comm, unless the
 * kernel has truncated comm to 15 bytes. If comm is truncated and the base name
 * of argv[0] begins with comm, the base name is the process name. A base name
 * above PROC_NAME_MAX bytes is ignored, because it could make a record too
 * long. The result points into `p` or `cmdline`.
 */
const char *proc_name(
	const struct proc *p, const struct buf *cmdline, size_t *len);

/*
 * True if the kernel may have truncated comm, so that proc_name() needs the
 * command line.
 */
bool proc_name_is_cut(const struct proc *);

/* Return the start time of the process in seconds since the epoch. */
uint64_t proc_started(const struct proc *);

/*
 * Return the inode number of the pidfd. No other process has had this number
 * since the boot. Return 0 if the kernel has no pidfs, as before Linux 6.9.
 */
uint64_t proc_inode(int pidfd);

/*
 * proc_token() writes the token of a process, "PID-INODE-BOOT", which no other
 * process has. If the inode is unknown, the token has the start ticks in place
 * of the inode. In that case, a process that gets the same pid within one tick
 * gets the same token. proc_boot() reads BOOT, the first 8 digits of the
 * kernel's boot id. Return 0, or -1 with errno.
 */
#define PROC_TOKEN_MAX 48
int proc_boot(char boot[9]);
void proc_token(const struct proc *, const char *boot, char *, size_t);

#endif
