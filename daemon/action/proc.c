#include "action/proc.h"

#include "fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#define PF_KTHREAD 0x00200000  /* value in include/linux/sched.h */
#define PIDFS_MAGIC 0x50494446 /* value of PID_FS_MAGIC in linux/magic.h */
/* bytes of a truncated comm: TASK_COMM_LEN without the NUL */
#define COMM_CUT 15
#define STAT_MAX 1024

int
proc_open(void)
{
	return open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/*
 * True if the mount options of /proc hide other users' processes from this
 * process.
 */
static bool
options_hide(const char *options)
{
	const char *hide = strstr(options, ",hidepid=");
	const char *gid = strstr(options, ",gid=");
	gid_t group = gid == NULL ? 0 : (gid_t)strtoul(gid + 5, NULL, 10);

	if (hide == NULL)
		return false;
	hide += sizeof(",hidepid=") - 1;
	/* With hidepid=ptraceable (4), the option gid= has no effect. */
	if (*hide == '4' || strncmp(hide, "ptraceable", 10) == 0)
		return true;
	return getegid() != group && !group_member(group);
}

/* True if the last mount at /proc in `mounts` hides other users' processes. */
static bool
mount_hides(FILE *mounts)
{
	char *line = NULL, *tail;
	bool hides = false;
	size_t size = 0;

	while (getline(&line, &size, mounts) != -1)
		if (strstr(line, " /proc ") != NULL &&
			(tail = strstr(line, " - proc ")) != NULL)
			hides = options_hide(tail);
	free(line);
	return hides;
}

/*
 * Try to read process 1, which always exists. If process 1 runs as our own
 * user, as in a container, this test proves nothing. In that case, read the
 * mount options.
 */
bool
proc_hides_others(int dir)
{
	struct stat st;
	FILE *mounts;
	bool hides;

	if (fstatat(dir, "1/stat", &st, 0) == -1)
		return !proc_is_short(errno);
	if (st.st_uid != geteuid() ||
		(mounts = fopen("/proc/self/mountinfo", "re")) == NULL)
		return false;
	hides = mount_hides(mounts);
	fclose(mounts);
	return hides;
}

static int
compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/*
 * Convert the name of a folder in /proc to a pid. Return 0 if the name is not a
 * pid.
 */
static pid_t
pid_of(const char *s)
{
	pid_t pid = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		pid = pid * 10 + (*s - '0');
	return *s == '\0' ? pid : 0;
}

int
proc_pids(int dir, pid_t **pids, size_t *n)
{
	size_t room = 0;
	struct dirent *d;
	pid_t *more, pid;
	DIR *stream;
	int fd;

	*pids = NULL;
	*n = 0;
	if ((fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	if ((stream = fdopendir(fd)) == NULL) {
		fd_close(&fd);
		return -1;
	}
	while ((d = readdir(stream)) != NULL) {
		if ((pid = pid_of(d->d_name)) == 0)
			continue;
		if (*n == room) {
			room = room ? room * 2 : 512;
			more = reallocarray(*pids, room, sizeof(**pids));
			if (more == NULL)
				goto fail;
			*pids = more;
		}
		(*pids)[(*n)++] = pid;
	}
	closedir(stream);
	qsort(*pids, *n, sizeof(**pids), compare_pids);
	return 0;
fail:
	free(*pids);
	*pids = NULL;
	closedir(stream);
	return -1;
}

/*
 * Write the path "PID" with `file` appended to `path`. `file` is "" or begins
 * with a slash.
 */
static void
path_of(char *path, pid_t pid, const char *file)
{
	char digits[12], *p = digits + sizeof(digits);

	*--p = '\0';
	do {
		*--p = (char)('0' + pid % 10);
		pid /= 10;
	} while (pid != 0);
	path = stpcpy(path, p);
	strcpy(path, file);
}

static ssize_t
read_file(int dir, pid_t pid, const char *file, char *data, size_t size)
{
	char path[32];
	ssize_t n;
	int fd;

	path_of(path, pid, file);
	if ((fd = openat(dir, path, O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	n = read(fd, data, size);
	fd_close(&fd);
	return n;
}

static const char *
take_number(const char *s, uint64_t *v)
{
	while (*s == ' ' || *s == '-')
		s++;
	for (*v = 0; *s >= '0' && *s <= '9'; s++)
		*v = *v * 10 + (uint64_t)(*s - '0');
	return s;
}

/*
 * Parse the text of /proc/PID/stat, "pid (comm) state ppid …". comm may contain
 * ") R", so search for the last ")". Return 0, or -1 with errno.
 */
static int
parse_stat(char *line, struct proc *p)
{
	enum {
		PPID = 4,
		FLAGS = 9,
		UTIME = 14,
		STIME = 15,
		START = 22,
		RSS = 24
	};
	char *open = strchr(line, '('), *shut = strrchr(line, ')');
	uint64_t f[RSS + 1];
	const char *s;
	int i;

	if (open == NULL || shut == NULL || shut < open || shut[1] != ' ' ||
		shut[2] == '\0') {
		errno = EIO;
		return -1;
	}
	p->commlen = (size_t)(shut - open - 1);
	if (p->commlen > sizeof(p->comm))
		p->commlen = sizeof(p->comm);
	memcpy(p->comm, open + 1, p->commlen);
	p->state = shut[2];
	for (i = PPID, s = shut + 3; i <= RSS; i++)
		s = take_number(s, &f[i]);
	p->ppid = (pid_t)f[PPID];
	p->kernel = (f[FLAGS] & PF_KTHREAD) != 0;
	p->cpu_ms =
		(f[UTIME] + f[STIME]) * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
	p->ticks = f[START];
	p->rss_kib = f[RSS] * ((uint64_t)sysconf(_SC_PAGESIZE) / 1024);
	return 0;
}

int
proc_read(int dir, pid_t pid, struct proc *p)
{
	char line[STAT_MAX], path[32];
	struct stat st;
	ssize_t n;

	p->pid = pid;
	p->inode = 0;
	path_of(path, pid, "");
	if (fstatat(dir, path, &st, 0) != 0)
		return -1;
	p->uid = st.st_uid;
	n = read_file(dir, pid, "/stat", line, sizeof(line) - 1);
	if (n < 0)
		return -1;
	line[n] = '\0';
	return parse_stat(line, p);
}

int
proc_uids(int dir, pid_t pid, uid_t uids[PROC_UIDS])
{
	ssize_t n;
	char text[STAT_MAX], *at;
	uint64_t v;
	const char *s;
	int i;

	n = read_file(dir, pid, "/status", text, sizeof(text) - 1);
	if (n < 0)
		return -1;
	text[n] = '\0';
	/*
	 * The process name stands before "Uid:". The kernel escapes each LF in
	 * the process name, so the name cannot match this text.
	 */
	if ((at = strstr(text, "\nUid:")) == NULL) {
		errno = EIO;
		return -1;
	}
	for (i = 0, s = at + 5; i < PROC_UIDS; i++) {
		s += strspn(s, "\t");
		s = take_number(s, &v);
		uids[i] = (uid_t)v;
	}
	return 0;
}

bool
proc_is_short(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM;
}

void
proc_cmdline(int dir, pid_t pid, struct buf *out, size_t max)
{
	ssize_t n;
	char *at;

	buf_reset(out);
	if ((at = buf_room(out, max)) == NULL)
		return;
	n = read_file(dir, pid, "/cmdline", at, max);
	out->len = n > 0 ? (size_t)n : 0;
}

bool
proc_name_is_cut(const struct proc *p)
{
	return p->commlen == COMM_CUT && !p->kernel;
}

const char *
proc_name(const struct proc *p, const struct buf *cmdline, size_t *len)
{
	const char *base, *slash;
	size_t n;

	*len = p->commlen;
	if (!proc_name_is_cut(p) || cmdline->len == 0)
		return p->comm;
	base = cmdline->data;
	n = strnlen(base, cmdline->len);
	if ((slash = memrchr(base, '/', n)) != NULL) {
		n -= (size_t)(slash + 1 - base);
		base = slash + 1;
	}
	if (n <= p->commlen || n > PROC_NAME_MAX ||
		memcmp(base, p->comm, p->commlen) != 0)
		return p->comm;
	*len = n;
	return base;
}

uint64_t
proc_started(const struct proc *p)
{
	struct timespec now, up;
	int64_t boot_ms;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	boot_ms = (now.tv_sec - up.tv_sec) * 1000 +
		  (now.tv_nsec - up.tv_nsec) / 1000000;
	return (uint64_t)(boot_ms + (int64_t)(p->ticks * 1000 /
					      (uint64_t)sysconf(_SC_CLK_TCK))) /
	       1000;
}

int
proc_boot(char boot[9])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return -1;
	n = read(fd, boot, 8);
	boot[8] = '\0';
	fd_close(&fd);
	if (n != 8 || strspn(boot, "0123456789abcdef") != 8) {
		errno = EIO;
		return -1;
	}
	return 0;
}

uint64_t
proc_inode(int pidfd)
{
	struct statfs fs;
	struct stat st;

	return fstatfs(pidfd, &fs) == 0 && fs.f_type == PIDFS_MAGIC &&
			       fstat(pidfd, &st) == 0
		       ? st.st_ino
		       : 0;
}

void
proc_token(const struct proc *p, const char *boot, char *out, size_t size)
{
	snprintf(out, size, "%d-%llu-%s", (int)p->pid,
		(unsigned long long)(p->inode != 0 ? p->inode : p->ticks),
		boot);
}
