#include "net/listen_check.h"

#include "fd.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CMDLINE_MAX 65536
#define MANAGER 1 /* process ID of the service manager */

/* The process that already listens at the address of a listener. */
struct holder {
	unsigned long inode; /* inode of the socket; 0 if the address is free */
	pid_t pid;           /* process ID of the holder; 0 if unknown */
	char name[32];
};

/*
 * Find the inode of a listening TCP socket with this port. `table` is a file
 * such as /proc/net/tcp.
 */
static void
find_tcp(const char *table, unsigned port, struct holder *h)
{
	unsigned at, state;
	unsigned long inode;
	char line[512];
	FILE *f = fopen(table, "re");

	if (f == NULL)
		return;
	while (h->inode == 0 && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line,
			    " %*u: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*u "
			    "%*u %lu",
			    &at, &state, &inode) == 3 &&
			at == port && state == 0x0a)
			h->inode = inode;
	fclose(f);
}

/*
 * Find the inode of a listening unix socket at this path. /proc/net/unix shows
 * the flag 0x10000 for a listening socket.
 */
static void
find_unix(const char *path, struct holder *h)
{
	unsigned flags;
	unsigned long inode;
	char line[512];
	int end;
	FILE *f = fopen("/proc/net/unix", "re");

	if (f == NULL)
		return;
	while (h->inode == 0 && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		end = 0;
		if (sscanf(line, "%*s %*s %*s %x %*s %*s %lu %n", &flags,
			    &inode, &end) == 2 &&
			end > 0 && flags & 0x10000 &&
			strcmp(line + end, path) == 0)
			h->inode = inode;
	}
	fclose(f);
}

/*
 * True if the process has an open descriptor of the socket. `wanted` is the
 * text "socket:[INODE]".
 */
static bool
has_socket(const char *pid, const char *wanted)
{
	char path[64], target[64];
	struct dirent *entry;
	bool found = false;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	if ((dir = opendir(path)) == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		n = readlinkat(
			dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		found = strcmp(target, wanted) == 0;
	}
	closedir(dir);
	return found;
}

static void
read_name(struct holder *h)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)h->pid);
	if ((f = fopen(path, "re")) == NULL)
		return;
	if (fgets(h->name, sizeof(h->name), f) != NULL)
		h->name[strcspn(h->name, "\n")] = '\0';
	fclose(f);
}

/* Find a process that has the socket open. Try the service manager first. */
static void
find_process(struct holder *h)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "socket:[%lu]", h->inode);
	if (has_socket("1", wanted))
		h->pid = MANAGER;
	while (h->pid == 0 && dir != NULL && (entry = readdir(dir)) != NULL)
		if (isdigit((unsigned char)*entry->d_name) &&
			has_socket(entry->d_name, wanted))
			h->pid = (pid_t)atoi(entry->d_name);
	if (dir != NULL)
		closedir(dir);
	if (h->pid != 0)
		read_name(h);
}

static struct holder
find_holder(const struct settings_listen *l)
{
	struct holder h = { 0 };

	if (l->unix_path != NULL) {
		find_unix(l->unix_path, &h);
	} else {
		/* The port has the same offset in IPv4 and IPv6 addresses. */
		find_tcp("/proc/net/tcp", ntohs(l->addr.in.sin_port), &h);
		find_tcp("/proc/net/tcp6", ntohs(l->addr.in.sin_port), &h);
	}
	if (h.inode != 0)
		find_process(&h);
	return h;
}

static bool
is_file(const char *arg, const char *config)
{
	char *a = realpath(arg, NULL), *b = realpath(config, NULL);
	bool same = a != NULL && b != NULL && strcmp(a, b) == 0;

	free(a);
	free(b);
	return same;
}

/*
 * True if the process is a bridled that was started with this configuration
 * file.
 */
static bool
is_own_daemon(const struct holder *h, const char *config)
{
	bool named = false, same = false;
	const char *arg;
	char path[64], *line;
	size_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)h->pid);
	if (strcmp(h->name, "bridled") != 0 ||
		(fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return false;
	line = fd_read_all(fd, CMDLINE_MAX, &len);
	fd_close(&fd);
	for (arg = line; line != NULL && arg < line + len;
		arg += strlen(arg) + 1) {
		named |= strncmp(arg, "-c", 2) == 0 ||
			 strncmp(arg, "--c", 3) == 0;
		same |= is_file(
			strchr(arg, '=') ? strchr(arg, '=') + 1 : arg, config);
	}
	free(line);
	return named ? same : is_file(SETTINGS_FILE, config);
}

static void
begin_line(const struct settings_listen *l, struct buf *out)
{
	buf_addf(out, "%s:%d: listen: ", l->file, l->line);
	if (l->unix_path != NULL)
		buf_adds(out, l->unix_path);
	else
		net_format(&l->addr, out);
}

/*
 * Test if the daemon could open a listener. Return 0 if the test succeeds,
 * otherwise an errno value.
 */
static int
try_place(const struct settings_listen *l)
{
	char *path, *folder;
	struct stat st;
	int error = 0, fd;

	if (l->unix_path == NULL) {
		fd = net_listen(&l->addr);
		error = fd == -1 ? errno : 0;
		fd_close(&fd);
		return error;
	}
	if (lstat(l->unix_path, &st) == 0)
		return S_ISSOCK(st.st_mode) ? 0 : EEXIST;
	if ((path = strdup(l->unix_path)) == NULL)
		return ENOMEM;
	folder = dirname(path);
	/*
	 * If the last folder of the path is missing, the daemon creates it. In
	 * this case, test the parent folder.
	 */
	if (access(folder, F_OK) != 0)
		folder = dirname(folder);
	if (access(folder, W_OK | X_OK) != 0)
		error = errno;
	free(path);
	return error;
}

static void
check_free(const struct settings_listen *l, bool passed, struct buf *errors)
{
	int error = try_place(l);

	if (error == 0)
		return;
	if (passed && l->unix_path == NULL &&
		(error == EACCES || error == EADDRNOTAVAIL))
		return;
	begin_line(l, errors);
	buf_addf(errors, ": %s%s\n", strerror(error),
		error == EEXIST
			? " (this file is not a socket: remove it first)"
			: "");
}

static void
check_held(const struct settings_listen *l, const struct holder *h,
	const char *config, struct buf *errors, struct buf *notes)
{
	if (h->pid == 0) {
		begin_line(l, notes);
		buf_adds(notes, " is in use by a program that this user cannot "
				"see: check as root\n");
	} else if (!is_own_daemon(h, config)) {
		begin_line(l, errors);
		buf_addf(errors,
			" is in use by %s, pid %d: stop this process, or "
			"choose another address\n",
			h->name, (int)h->pid);
	}
}

void
listen_check(const struct settings *s, const char *config, bool passed,
	struct buf *errors, struct buf *notes)
{
	const struct settings_listen *l;
	struct holder h;

	for (l = s->listen; l < s->listen + s->nlisten; l++) {
		h = find_holder(l);
		if (h.inode == 0)
			check_free(l, passed, errors);
		else if (h.pid != MANAGER)
			check_held(l, &h, config, errors, notes);
	}
}

bool
listen_check_is_live(const char *unix_path)
{
	struct holder h = { 0 };

	find_unix(unix_path, &h);
	return h.inode != 0;
}
