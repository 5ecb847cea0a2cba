#include "running.h"

#include "buf.h"
#include "clock.h"
#include "conf.h"
#include "fd.h"
#include "in_force.h"
#include "settings.h"
#include "text.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define FILE_MAX (4 * 1024 * 1024) /* of what is in force */
#define RELOAD_MS 10000            /* name services may be slow */
#define LOOK_MS 10                 /* between two looks */

/* Where to look, and for whom. */
struct search {
	char *path; /* the configuration's, as the daemon names it */
	char *dirs[2];
};

/* What was found. */
struct running {
	pid_t pid; /* 0: none */
	char *text;
	struct buf why; /* there is none, or it is not known */
	bool denied;
};

/*
 * Whoever could have written the file: at worst it leads to a daemon that
 * was started with it.
 */
static char *
find_state_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = NULL, *dir;
	size_t len;

	if (fd != -1)
		text = fd_read_all(fd, CONF_SIZE_MAX, &len);
	fd_close(&fd);
	dir = settings_state_dir(text != NULL ? text : "");
	free(text);
	return dir;
}

static void
search_begin(struct search *s, const char *path, const char *state_dir)
{
	char *real = realpath(path, NULL);

	s->path = real != NULL ? real : strdup(path);
	s->dirs[0] = find_state_dir(path);
	s->dirs[1] = state_dir != NULL ? strdup(state_dir) : NULL;
}

static void
search_end(struct search *s)
{
	free(s->path);
	free(s->dirs[0]);
	free(s->dirs[1]);
}

/* Not to be led elsewhere by whom the folder belongs to. */
static int
open_file(const char *dir, const char *name)
{
	struct buf path = { 0 };
	struct stat st;
	int fd;

	buf_addf(&path, "%s/%s", dir, name);
	fd = open(buf_str(&path),
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	buf_free(&path);
	if (fd != -1 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		fd_close(&fd);
		errno = EINVAL;
	}
	return fd;
}

/* The kernel says who holds the lock: 0 if nobody, -1 with errno. */
static pid_t
find_holder(const char *dir)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open_file(dir, IN_FORCE_LOCK), result;

	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	result = fcntl(fd, F_GETLK, &l);
	fd_close(&fd);
	if (result != 0)
		return -1;
	return l.l_type == F_UNLCK ? 0 : l.l_pid;
}

/* What stands behind such a word at the start of a line of its head. */
static const char *
find_line(const char *text, const char *word)
{
	size_t len = strlen(word);

	while (*text == '#') {
		if (strncmp(text, word, len) == 0)
			return text + len;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return NULL;
}

static bool
is_of(const char *text, const char *path)
{
	const char *line = find_line(text, IN_FORCE_CONFIG);
	struct buf shown = { 0 };
	bool same;

	text_safe(&shown, path, strlen(path));
	buf_addc(&shown, '\n');
	same = line != NULL && strncmp(line, buf_str(&shown), shown.len) == 0;
	buf_free(&shown);
	return same;
}

static char *
read_record(const char *dir)
{
	int fd = open_file(dir, IN_FORCE_FILE);
	char *text = NULL;
	size_t len;

	if (fd != -1)
		text = fd_read_all(fd, FILE_MAX, &len);
	fd_close(&fd);
	return text;
}

static bool
find_in(const char *dir, const char *path, struct running *r)
{
	pid_t pid = find_holder(dir);
	char *text;

	if (pid == 0)
		return false;
	if (pid == -1 || (text = read_record(dir)) == NULL) {
		r->denied |= errno == EACCES;
		buf_addf(&r->why, "%s%s: %s", r->why.len > 0 ? "; " : "", dir,
			strerror(errno));
		return false;
	}
	if (is_of(text, path)) {
		r->pid = pid;
		r->text = text;
		return true;
	}
	buf_addf(&r->why, "%spid %d, in %s, has another configuration",
		r->why.len > 0 ? "; " : "", (int)pid, dir);
	free(text);
	return false;
}

static bool
find(const struct search *s, struct running *r)
{
	size_t i;

	memset(r, 0, sizeof(*r));
	for (i = 0; i < 2; i++)
		if (s->dirs[i] != NULL && find_in(s->dirs[i], s->path, r))
			return true;
	return false;
}

static void
forget(struct running *r)
{
	free(r->text);
	buf_free(&r->why);
}

static int
tell_none(const struct search *s, struct running *r)
{
	if (r->denied)
		warnx("whether a daemon runs with %s is not to be seen: %s "
		      "(ask as root or as its user)",
			s->path, buf_str(&r->why));
	else if (r->why.len > 0)
		warnx("no daemon is known to run with %s: %s", s->path,
			buf_str(&r->why));
	else
		warnx("no daemon is known to run with %s: none says so in %s",
			s->path, s->dirs[0] != NULL ? s->dirs[0] : "state_dir");
	return r->denied ? EX_NOPERM : EX_UNAVAILABLE;
}

/* The folder's owner is not us: a terminal is to be spared his tricks. */
static void
print_safe(const char *text, FILE *out)
{
	struct buf shown = { 0 };
	size_t len;

	for (; *text != '\0'; text += len) {
		len = strcspn(text, "\n\t");
		text_safe(&shown, text, len);
		if (text[len] != '\0')
			buf_addc(&shown, text[len++]);
	}
	fputs(buf_str(&shown), out);
	buf_free(&shown);
}

int
running_show(const char *path, const char *state_dir)
{
	struct search s;
	struct running r;
	int status = 0;

	search_begin(&s, path, state_dir);
	if (find(&s, &r))
		print_safe(r.text, stdout);
	else
		status = tell_none(&s, &r);
	forget(&r);
	search_end(&s);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}

static unsigned long
count_reloads(const char *text)
{
	const char *line = find_line(text, IN_FORCE_RELOADS);

	return line != NULL ? strtoul(line, NULL, 10) : 0;
}

/* Each remark of the last reload. */
static void
print_remarks(const char *text)
{
	const size_t len = strlen(IN_FORCE_REMARK);
	char *line;

	for (; *text == '#'; text += strcspn(text, "\n") + 1) {
		if (strncmp(text, IN_FORCE_REMARK, len) != 0)
			continue;
		line = strndup(text + len, strcspn(text + len, "\n") + 1);
		if (line != NULL)
			print_safe(line, stderr);
		free(line);
	}
}

static int
tell_outcome(const struct search *s, const struct running *r)
{
	const char *last = find_line(r->text, IN_FORCE_LAST);
	const char *failed = IN_FORCE_FAILED;

	print_remarks(r->text);
	if (last == NULL || strncmp(last, failed, strlen(failed)) == 0) {
		warnx("pid %d has not taken %s: the settings of before stay "
		      "in force",
			(int)r->pid, s->path);
		return EX_CONFIG;
	}
	printf("bridled, pid %d, serves the settings of %s\n", (int)r->pid,
		s->path);
	return 0;
}

/* Until the record tells of a reload after so many; false if none did. */
static bool
await(const struct search *s, pid_t pid, unsigned long before,
	struct running *r)
{
	int64_t deadline = clock_ms() + RELOAD_MS;

	for (;;) {
		if (find(s, r) && r->pid == pid &&
			count_reloads(r->text) > before)
			return true;
		forget(r);
		if (kill(pid, 0) != 0 && errno == ESRCH) {
			warnx("pid %d has ended: look into its log", (int)pid);
			return false;
		}
		if (clock_left(deadline) == 0) {
			warnx("pid %d does not say what became of the reload: "
			      "look into its log",
				(int)pid);
			return false;
		}
		poll(NULL, 0, LOOK_MS);
	}
}

static int
reload(const struct search *s, pid_t pid, unsigned long before)
{
	struct running after;
	int status;

	if (kill(pid, SIGHUP) != 0) {
		warn("pid %d runs with %s, and is not to be reloaded", (int)pid,
			s->path);
		return errno == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
	}
	if (!await(s, pid, before, &after))
		return EX_TEMPFAIL;
	status = tell_outcome(s, &after);
	forget(&after);
	return status;
}

int
running_reload(const char *path, const char *state_dir)
{
	struct search s;
	struct running r;
	int status;

	search_begin(&s, path, state_dir);
	if (find(&s, &r))
		status = reload(&s, r.pid, count_reloads(r.text));
	else
		status = tell_none(&s, &r);
	forget(&r);
	search_end(&s);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}
