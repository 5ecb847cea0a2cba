#include "proc.h"

#include "fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */
#define COMM_CUT 15           /* TASK_COMM_LEN less the NUL */
#define STAT_MAX 1024

int
proc_open(void)
{
	return open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* The number that a folder of /proc stands for, 0 if it is none. */
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

/* "PID/file", or "PID" where file is "". */
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

/* proc(5): pid (comm) state ppid … ; comm may hold anything, even ") R". */
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
	/* The name comes before, but an LF in it as two characters. */
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

void
proc_token(const struct proc *p, const char *boot, char *out, size_t size)
{
	snprintf(out, size, "%d-%llu-%s", (int)p->pid,
		(unsigned long long)p->ticks, boot);
}
