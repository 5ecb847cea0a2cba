#include "in_force.h"

#include "config.h"

#include "fd.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A record lock: children do not inherit it, it ends with the process, and
 * who asks is told its pid. It also ends when any descriptor of the file is
 * closed, so this is the only place that opens it. -1 with the reason.
 */
static int
take_lock(const char *dir, struct buf *why)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct buf path = { 0 };
	int fd;

	buf_addf(&path, "%s/" IN_FORCE_LOCK, dir);
	fd = open(buf_str(&path),
		O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd != -1 && fcntl(fd, F_SETLK, &l) != 0) {
		if ((errno == EACCES || errno == EAGAIN) &&
			fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK)
			buf_addf(why, "pid %d has its own there", (int)l.l_pid);
		else
			buf_adds(why, strerror(errno));
		fd_close(&fd);
	} else if (fd == -1) {
		buf_adds(why, strerror(errno));
	}
	buf_free(&path);
	return fd;
}

static void
cannot(struct audit *audit, const char *dir, const char *why)
{
	audit_log(audit, LOG_INFO,
		"what is in force is not in %s, where bridlectl config looks "
		"for it: %s (a state_dir of its own that it may write to "
		"helps)",
		dir, why);
}

static void
settle(struct in_force *f, const char *dir, struct audit *audit)
{
	struct buf why = { 0 };

	if ((f->dir = strdup(dir)) == NULL)
		buf_adds(&why, strerror(ENOMEM));
	else
		f->lock = take_lock(dir, &why);
	if (f->lock == -1)
		cannot(audit, dir, buf_str(&why));
	buf_free(&why);
}

static void
add_remarks(struct buf *out, const char *remarks)
{
	size_t len;

	for (; *remarks != '\0'; remarks += len + (remarks[len] == '\n')) {
		len = strcspn(remarks, "\n");
		buf_adds(out, IN_FORCE_REMARK);
		text_safe(out, remarks, len);
		buf_addc(out, '\n');
	}
}

static void
add_head(struct buf *out, const struct in_force *f, const struct settings *s,
	const char *last, const char *remarks)
{
	char since[64] = "";
	struct tm tm;

	if (localtime_r(&f->since, &tm) != NULL)
		strftime(since, sizeof(since), "%F %T %z", &tm);
	buf_addf(out,
		"# bridled " PACKAGE_VERSION ", pid %d, serves these settings "
		"since %s\n",
		(int)getpid(), since);
	buf_adds(out, IN_FORCE_CONFIG);
	text_safe(out, s->path, strlen(s->path));
	buf_adds(out, "\n" IN_FORCE_DIR);
	text_safe(out, f->dir, strlen(f->dir));
	buf_addf(out, "\n" IN_FORCE_RELOADS "%u\n" IN_FORCE_LAST "%s\n",
		f->reloads, last);
	add_remarks(out, remarks);
	buf_addc(out, '\n');
}

static int
print(int fd, struct buf *head, const struct settings *s)
{
	FILE *out = head->failed ? NULL : fdopen(fd, "w");
	bool good;

	if (out == NULL) {
		fd_close(&fd);
		return -1;
	}
	fputs(buf_str(head), out);
	settings_print(s, out);
	good = !ferror(out);
	return fclose(out) == 0 && good ? 0 : -1;
}

/* A limit on the size of files is no reason to end. */
static int
print_within_limits(int fd, struct buf *head, const struct settings *s)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	int result;

	sigaction(SIGXFSZ, &ignore, &before);
	result = print(fd, head, s);
	sigaction(SIGXFSZ, &before, NULL);
	return result;
}

static int
replace(const char *path, struct buf *head, const struct settings *s)
{
	struct buf temporary = { 0 };
	int fd, result = -1;

	buf_addf(&temporary, "%s.new", path);
	fd = open(buf_str(&temporary),
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd != -1 && print_within_limits(fd, head, s) == 0)
		result = rename(buf_str(&temporary), path);
	if (fd != -1 && result != 0) {
		int why = errno;

		unlink(buf_str(&temporary));
		errno = why;
	}
	buf_free(&temporary);
	return result;
}

static void
write_down(struct in_force *f, const struct settings *s, const char *last,
	const char *remarks, struct audit *audit)
{
	struct buf path = { 0 }, head = { 0 };

	if (f->lock == -1)
		return;
	buf_addf(&path, "%s/" IN_FORCE_FILE, f->dir);
	add_head(&head, f, s, last, remarks);
	if (replace(buf_str(&path), &head, s) != 0) {
		cannot(audit, f->dir, strerror(errno));
		unlink(buf_str(&path)); /* rather nothing than what is old */
	}
	buf_free(&head);
	buf_free(&path);
}

void
in_force_begin(
	struct in_force *f, const struct settings *s, struct audit *audit)
{
	f->since = time(NULL);
	settle(f, s->state_dir, audit);
	write_down(f, s, "none", "", audit);
}

void
in_force_reloaded(struct in_force *f, const struct settings *s, bool taken,
	const char *remarks, struct audit *audit)
{
	f->reloads++;
	if (taken)
		f->since = time(NULL);
	if (f->lock == -1 || strcmp(f->dir, s->state_dir) != 0) {
		/* First this: the new folder may be the old by another name. */
		in_force_end(f);
		settle(f, s->state_dir, audit);
	}
	write_down(f, s,
		taken ? "ok"
		      : IN_FORCE_FAILED
			", the settings of before stay in force",
		remarks, audit);
}

void
in_force_end(struct in_force *f)
{
	struct buf path = { 0 };

	if (f->lock != -1) {
		buf_addf(&path, "%s/" IN_FORCE_FILE, f->dir);
		unlink(buf_str(&path));
		buf_free(&path);
	}
	fd_close(&f->lock);
	free(f->dir);
	f->dir = NULL;
}
