#include "config/effective.h"

#include "config.h"

#include "clock.h"
#include "conf.h"
#include "config/load_child.h"
#include "fd.h"
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

/*
 * The names of the files in state_dir. The lock file is not removed when the
 * daemon ends.
 */
#define SETTINGS_NAME "settings"
#define NEW_NAME SETTINGS_NAME ".new"
#define LOCK_NAME "settings.lock"

/*
 * The labels in the comments at the top of the settings file. Each label is at
 * the beginning of a line.
 */
/* label of the configuration file's path, escaped by text_safe() */
#define CONFIG_LINE "\n# configuration: "
#define DIR_LINE "\n# state_dir: "
/* label of the time of clock_ms() at which the last reload began */
#define BEGAN_LINE "\n# last reload began: "
#define LAST_LINE "\n# last reload: "
#define REMARK_LINE "\n#   " /* label of each error line of the last reload */
#define FAILED "failed"
/* line in the settings file of a daemon that refuses all clients */
#define REFUSES_LINE "\n# refuses all clients\n"

/* maximum size of the settings file in bytes */
#define SIZE_LIMIT (4 * 1024 * 1024)
/*
 * The maximum milliseconds to wait for a reload. A reload that already runs may
 * first have to end.
 */
#define RELOAD_MS (2 * LOAD_MS + 5000)
#define POLL_MS 10

/*
 * Open a file in the folder `dir`, which is a state_dir. The owner of the
 * folder is not trusted, so accept only a regular file. Return the descriptor,
 * or -1 with errno.
 */
static int
open_in(const char *dir, const char *name, int flags)
{
	struct buf path = { 0 };
	struct stat st;
	int fd;

	buf_addf(&path, "%s/%s", dir, name);
	fd = open(buf_str(&path),
		flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
	buf_free(&path);
	if (fd != -1 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		fd_close(&fd);
		errno = EINVAL;
	}
	return fd;
}

static char *
read_and_close(int fd, size_t limit)
{
	size_t len;
	char *text = fd != -1 ? fd_read_all(fd, limit, &len) : NULL;

	fd_close(&fd);
	return text;
}

/*
 * Return the state_dir that the configuration file sets. Any user may have
 * written this file. At worst, this state_dir leads to another daemon that was
 * started with the same file.
 */
static char *
find_state_dir(const char *config)
{
	char *text = read_and_close(
		open(config, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY),
		CONF_SIZE_MAX);
	char *dir = settings_state_dir(text != NULL ? text : "");

	free(text);
	return dir;
}

/* Functions for the daemon. */

static void
log_failure(struct logger *logger, const char *dir, const char *why)
{
	static const char text[] =
		"cannot write the effective settings to %s, so bridlectl "
		"config cannot show or reload them: %s (set state_dir to a "
		"folder for this daemon alone)";

	if (logger != NULL)
		logger_log(logger, LOG_INFO, text, dir, why);
	else
		warnx(text, dir, why);
}

/*
 * Take a record lock (fcntl_locking(2)) on the lock file. Children do not
 * inherit this lock. The lock ends with the process, and the kernel tells the
 * pid of the lock's holder. The lock also ends when the process closes any
 * descriptor of the file. Therefore, no other code of the daemon is allowed to
 * open the file.
 */
static void
take_lock(struct effective *f, const char *dir, struct logger *logger)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct buf why = { 0 };

	if ((f->dir = strdup(dir)) != NULL)
		f->lock = open_in(dir, LOCK_NAME, O_RDWR | O_CREAT);
	if (f->lock != -1 && fcntl(f->lock, F_SETLK, &l) == 0)
		return;
	buf_adds(&why, strerror(errno));
	if (f->lock != -1 && (errno == EACCES || errno == EAGAIN) &&
		fcntl(f->lock, F_GETLK, &l) == 0 && l.l_type != F_UNLCK) {
		buf_reset(&why);
		buf_addf(&why, "pid %d uses this folder", (int)l.l_pid);
	}
	log_failure(logger, dir, buf_str(&why));
	fd_close(&f->lock);
	buf_free(&why);
}

static void
add_safe(struct buf *out, const char *begin, const char *s)
{
	buf_adds(out, begin);
	text_safe(out, s, strcspn(s, "\n"));
}

/*
 * Append the comments. `does` is a text that describes the state of the daemon
 * since f->since, such as "refuses all clients".
 */
static void
add_head(struct buf *out, const struct effective *f, const char *does,
	const char *config, const char *last, const char *remarks)
{
	char since[64] = "";
	struct tm tm;

	clock_follow_zone();
	if (localtime_r(&f->since, &tm) != NULL)
		strftime(since, sizeof(since), "%F %T %z", &tm);
	buf_addf(out, "# bridled " PACKAGE_VERSION ", pid %d, %s since %s",
		(int)getpid(), does, since);
	add_safe(out, CONFIG_LINE, config);
	add_safe(out, DIR_LINE, f->dir);
	buf_addf(out, BEGAN_LINE "%lld" LAST_LINE "%s", (long long)f->began,
		last);
	for (; *remarks != '\0'; remarks += *remarks == '\n') {
		add_safe(out, REMARK_LINE, remarks);
		remarks += strcspn(remarks, "\n");
	}
	buf_adds(out, "\n\n");
}

/*
 * Write the text to a new file in `dir`. Ignore SIGXFSZ, so that the limit
 * RLIMIT_FSIZE causes an error and does not kill the process. Return 0, or -1
 * with errno.
 */
static int
write_new(const char *dir, const struct buf *text)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	int fd = open_in(dir, NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC), result;

	if (fd == -1)
		return -1;
	sigaction(SIGXFSZ, &ignore, &before);
	result = fd_write_all(fd, text->data, text->len);
	sigaction(SIGXFSZ, &before, NULL);
	fd_close(&fd);
	return result;
}

/*
 * Replace the settings file by the text. On failure, remove the file, because
 * its settings are outdated.
 */
static void
replace_file(const struct effective *f, const struct buf *text,
	struct logger *logger)
{
	struct buf path = { 0 }, fresh = { 0 };

	buf_addf(&path, "%s/" SETTINGS_NAME, f->dir);
	buf_addf(&fresh, "%s/" NEW_NAME, f->dir);
	errno = ENOMEM;
	if (text->failed || write_new(f->dir, text) != 0 ||
		rename(buf_str(&fresh), buf_str(&path)) != 0) {
		log_failure(logger, f->dir, strerror(errno));
		unlink(buf_str(&fresh));
		unlink(buf_str(&path));
	}
	buf_free(&fresh);
	buf_free(&path);
}

static void
write_settings(const struct effective *f, const struct settings *s,
	const char *last, const char *remarks, struct logger *logger)
{
	struct buf text = { 0 };

	if (f->lock == -1)
		return;
	add_head(&text, f, "serves these settings", s->path, last, remarks);
	settings_print(s, &text);
	replace_file(f, &text, logger);
	buf_free(&text);
}

void
effective_begin(
	struct effective *f, const struct settings *s, struct logger *logger)
{
	f->since = time(NULL);
	take_lock(f, s->state_dir, logger);
	write_settings(f, s, f->began == 0 ? "none" : "ok", "", logger);
}

void
effective_refuse(struct effective *f, const char *config, const char *errors)
{
	struct buf text = { 0 };
	char *dir = find_state_dir(config);

	f->since = time(NULL);
	if (dir != NULL && f->lock == -1) {
		effective_end(f);
		mkdir(dir, 0700);
		take_lock(f, dir, NULL);
	}
	if (f->lock != -1) {
		add_head(&text, f, "refuses all clients", config,
			FAILED ", clients are refused", errors);
		buf_adds(&text, REFUSES_LINE);
		replace_file(f, &text, NULL);
	}
	buf_free(&text);
	free(dir);
}

void
effective_reloaded(struct effective *f, const struct settings *s, int64_t began,
	bool taken, const char *remarks, struct logger *logger)
{
	f->began = began;
	if (taken)
		f->since = time(NULL);
	if (f->lock == -1 || strcmp(f->dir, s->state_dir) != 0) {
		/*
		 * Release the old lock first, because both names of state_dir
		 * may stand for the same folder.
		 */
		effective_end(f);
		take_lock(f, s->state_dir, logger);
	}
	write_settings(f, s,
		taken ? "ok" : FAILED ", the previous settings stay effective",
		remarks, logger);
}

void
effective_end(struct effective *f)
{
	struct buf path = { 0 };

	if (f->lock != -1) {
		buf_addf(&path, "%s/" SETTINGS_NAME, f->dir);
		unlink(buf_str(&path));
		buf_free(&path);
	}
	fd_close(&f->lock);
	free(f->dir);
	f->dir = NULL;
}

/* Functions for a process that reads the settings file. */

/*
 * A search for the daemon that runs with a given configuration file, and the
 * result of this search.
 */
struct daemon {
	char *config; /* real path of the configuration file */
	char *dirs[2];
	pid_t pid;
	char *text;     /* content of the daemon's settings file */
	struct buf why; /* reason why no daemon was found */
	bool denied;
};

/*
 * Return the pid of the process that holds the lock in `dir`. Return 0 if no
 * process holds the lock, or -1 with errno.
 */
static pid_t
find_holder(const char *dir)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open_in(dir, LOCK_NAME, O_RDONLY), result;

	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	result = fcntl(fd, F_GETLK, &l);
	fd_close(&fd);
	if (result != 0)
		return -1;
	return l.l_type == F_UNLCK ? 0 : l.l_pid;
}

/*
 * Return the text after the label in the first line that begins with this
 * label. Return NULL if no line begins with the label.
 */
static const char *
find_line(const char *text, const char *begin)
{
	const char *at = strstr(text, begin);

	return at != NULL ? at + strlen(begin) : NULL;
}

static bool
has_config(const char *text, const char *config)
{
	struct buf line = { 0 };
	bool has;

	add_safe(&line, CONFIG_LINE, config);
	buf_addc(&line, '\n');
	has = strstr(text, buf_str(&line)) != NULL;
	buf_free(&line);
	return has;
}

static bool
find_in(struct daemon *d, const char *dir)
{
	const char *separator = d->why.len > 0 ? "; " : "";
	pid_t pid = find_holder(dir);
	char *text = NULL;

	if (pid == 0)
		return false;
	if (pid != -1)
		text = read_and_close(
			open_in(dir, SETTINGS_NAME, O_RDONLY), SIZE_LIMIT);
	if (text == NULL) {
		d->denied |= errno == EACCES;
		buf_addf(&d->why, "%s%s: %s", separator, dir, strerror(errno));
		return false;
	}
	if (has_config(text, d->config)) {
		d->pid = pid;
		d->text = text;
		return true;
	}
	buf_addf(&d->why, "%spid %d, in %s, has another configuration",
		separator, (int)pid, dir);
	free(text);
	return false;
}

static bool
find(struct daemon *d)
{
	size_t i;

	free(d->text);
	d->text = NULL;
	buf_reset(&d->why);
	for (i = 0; i < 2; i++)
		if (d->dirs[i] != NULL && find_in(d, d->dirs[i]))
			return true;
	return false;
}

static int
report_none(struct daemon *d)
{
	if (d->denied)
		warnx("cannot tell whether a daemon is running with %s: %s "
		      "(run this as root or as the daemon's user)",
			d->config, buf_str(&d->why));
	else if (d->why.len > 0)
		warnx("no daemon is known to run with %s: %s", d->config,
			buf_str(&d->why));
	else
		warnx("no daemon is known to run with %s: no settings of such "
		      "a daemon are in %s",
			d->config,
			d->dirs[0] != NULL ? d->dirs[0] : "state_dir");
	return d->denied ? EX_NOPERM : EX_UNAVAILABLE;
}

/* True if the daemon had a wrong configuration at its start. */
static bool
refuses(const struct daemon *d)
{
	return strstr(d->text, REFUSES_LINE) != NULL;
}

/*
 * Print the settings file. Escape characters that are unsafe for terminals.
 * Return an exit status.
 */
static int
print_settings(struct daemon *d)
{
	const char *text = d->text;
	struct buf shown = { 0 };
	size_t len;

	if (refuses(d)) {
		warnx("pid %d refuses all clients, because %s had a mistake "
		      "when the daemon started",
			(int)d->pid, d->config);
		return EX_UNAVAILABLE;
	}
	for (; *text != '\0'; text += len) {
		len = strcspn(text, "\n\t");
		text_safe(&shown, text, len);
		if (text[len] != '\0')
			buf_addc(&shown, text[len++]);
	}
	fputs(buf_str(&shown), stdout);
	buf_free(&shown);
	return 0;
}

static int64_t
last_began(const char *text)
{
	const char *line = find_line(text, BEGAN_LINE);

	return line != NULL ? strtoll(line, NULL, 10) : 0;
}

static int
report_reload(const struct daemon *d)
{
	const char *last = find_line(d->text, LAST_LINE);
	const char *remark = d->text;
	struct buf line = { 0 };

	while ((remark = find_line(remark, REMARK_LINE)) != NULL)
		add_safe(&line, line.len > 0 ? "\n" : "", remark);
	if (line.len > 0)
		fprintf(stderr, "%s\n", buf_str(&line));
	buf_free(&line);
	if (refuses(d)) {
		warnx("pid %d still refuses all clients: correct %s",
			(int)d->pid, d->config);
		return EX_CONFIG;
	}
	if (last == NULL || strncmp(last, FAILED, strlen(FAILED)) == 0) {
		warnx("pid %d has not taken %s: the previous settings stay "
		      "effective",
			(int)d->pid, d->config);
		return EX_CONFIG;
	}
	printf("bridled, pid %d, serves the settings of %s\n", (int)d->pid,
		d->config);
	return 0;
}

/*
 * Send SIGHUP to the daemon, and wait for the end of a reload that began after
 * the signal. An earlier reload does not count, because it may have read an
 * older version of the file. Return an exit status.
 */
static int
reload(struct daemon *d)
{
	int64_t sent = clock_ms(), deadline = sent + RELOAD_MS;
	pid_t pid = d->pid;

	if (kill(pid, SIGHUP) != 0) {
		warn("cannot reload pid %d, which runs with %s", (int)pid,
			d->config);
		return errno == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
	}
	while (!find(d) || d->pid != pid || last_began(d->text) < sent) {
		if (kill(pid, 0) != 0 && errno == ESRCH) {
			warnx("pid %d has ended: read its log", (int)pid);
			return EX_TEMPFAIL;
		}
		if (clock_left(deadline) == 0) {
			warnx("pid %d has not reported the result of the "
			      "reload: read its log",
				(int)pid);
			return EX_TEMPFAIL;
		}
		poll(NULL, 0, POLL_MS);
	}
	return report_reload(d);
}

/*
 * Find the daemon that runs with the file `path`, and call `use` with this
 * daemon. Return an exit status.
 */
static int
with_daemon(
	const char *path, const char *state_dir, int (*use)(struct daemon *))
{
	struct daemon d = { .config = realpath(path, NULL),
		.dirs = { find_state_dir(path),
			state_dir != NULL ? strdup(state_dir) : NULL } };
	int status;

	if (d.config == NULL)
		d.config = strdup(path);
	status = find(&d) ? use(&d) : report_none(&d);
	free(d.config);
	free(d.dirs[0]);
	free(d.dirs[1]);
	free(d.text);
	buf_free(&d.why);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}

int
effective_show(const char *path, const char *state_dir)
{
	return with_daemon(path, state_dir, print_settings);
}

int
effective_reload(const char *path, const char *state_dir)
{
	return with_daemon(path, state_dir, reload);
}
