/*
 * bridled: the daemon that lets clients control this machine. See bridled(8).
 */
#include "config.h"

#include "buf.h"
#include "clock.h"
#include "command_line.h"
#include "config/effective.h"
#include "config/host_key.h"
#include "config/settings.h"
#include "core/loop.h"
#include "core/refuse_all.h"
#include "core/resources.h"
#include "entry_show.h"
#include "fd.h"
#include "net/hangup.h"
#include "net/peer.h"
#include "net/sd_activation.h"
#include "outline.h"
#include "request/state.h"
#include "service_user.h"
#include "start_check.h"
#include "sys/account.h"
#include "sys/sandbox.h"
#include "trusted_path.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

/* Print the lines to standard error, and free the buffer. */
static void
print_lines(struct buf *lines)
{
	fputs(buf_str(lines), stderr);
	buf_free(lines);
}

static unsigned
count_lines(const struct buf *text)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < text->len; i++)
		n += text->data[i] == '\n';
	return n;
}

/*
 * Load the settings into *s, and print errors and warnings. Store the lines of
 * the errors in `errors`. Return 0, EX_TEMPFAIL if the name service did not
 * answer, or EX_CONFIG after other errors.
 */
static int
load_and_keep(const struct options *o, bool resolve, struct settings **s,
	struct buf *errors)
{
	struct settings_ids ids = { 0 };
	struct buf warnings = { 0 };

	buf_reset(errors);
	*s = settings_load_with(o->config, o->folder,
		o->stand_in.name != NULL ? &o->stand_in : NULL,
		resolve ? &ids : NULL, errors, &warnings);
	print_lines(&warnings);
	if (*s != NULL)
		buf_reset(errors);
	fputs(buf_str(errors), stderr);
	buf_free(&ids.list);
	if (*s != NULL)
		return 0;
	return ids.unanswered ? EX_TEMPFAIL : EX_CONFIG;
}

static int
load(const struct options *o, bool resolve, struct settings **s)
{
	struct buf errors = { 0 };
	int status = load_and_keep(o, resolve, s, &errors);

	buf_free(&errors);
	return status;
}

static int
show(const struct options *o)
{
	struct buf text = { 0 };
	struct settings *s;
	int status = load(o, false, &s);

	if (status != 0)
		return status;
	settings_print(s, &text);
	settings_free(s);
	fputs(buf_str(&text), stdout);
	buf_free(&text);
	return fflush(stdout) == 0 ? 0 : EX_IOERR;
}

static int
outline(const struct options *o)
{
	struct buf text = { 0 };
	struct settings *s;
	int status = load(o, false, &s);

	if (status != 0)
		return status;
	outline_add(s, &text);
	settings_free(s);
	fputs(buf_str(&text), stdout);
	buf_free(&text);
	return fflush(stdout) == 0 ? 0 : EX_IOERR;
}

/*
 * Print the entries of `clients` with the key or name `o->entry`. Return an
 * exit status.
 */
static int
show_entries(const struct options *o)
{
	struct settings *s;
	int status = load(o, false, &s);

	if (status != 0)
		return status;
	status = entry_show(s, o->entry);
	settings_free(s);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}

/*
 * Wait until the daemon sends its status byte, and exit with this status. The
 * byte is 0 if the daemon serves. If the daemon ends without a byte, the daemon
 * has already printed the cause.
 */
static void __attribute__((noreturn)) await(int ready)
{
	unsigned char status = EX_SOFTWARE;
	ssize_t n;

	do
		n = read(ready, &status, 1);
	while (n < 0 && errno == EINTR);
	_exit(status);
}

/*
 * Move the process into the background. Return the descriptor to which the
 * daemon writes its status byte.
 */
static int
daemonize(void)
{
	int pipes[2];
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) != 0 || (pid = fork()) == -1)
		err(EX_OSERR, "cannot move into the background");
	if (pid > 0) {
		close(pipes[1]);
		waitpid(pid, NULL, 0);
		await(pipes[0]);
	}
	close(pipes[0]);
	/*
	 * Fork twice, so that the daemon can never get a controlling terminal.
	 */
	if (setsid() == -1 || (pid = fork()) == -1)
		err(EX_OSERR, "cannot move into the background");
	if (pid > 0)
		_exit(0);
	if (chdir("/") != 0)
		err(EX_OSERR, "/");
	return pipes[1];
}

/*
 * Return the path as an absolute path, which the caller frees. Exit on failure.
 */
static char *
absolute(const char *path)
{
	char *cwd, *whole;

	if (*path == '/')
		return strdup(path);
	if ((cwd = getcwd(NULL, 0)) == NULL ||
		asprintf(&whole, "%s/%s", cwd, path) == -1)
		err(EX_OSERR, "%s", path);
	free(cwd);
	return whole;
}

/*
 * Return the path. If the path is NULL, memory has run out, so print an error
 * and exit.
 */
static char *
need(char *path)
{
	if (path == NULL)
		err(EX_OSERR, "cannot build a path");
	return path;
}

/*
 * Set the options for the check of a file that will replace a file of conf.d.
 * The configuration file is the file of --config, or otherwise bridled.conf
 * beside the folder. Return the folder's path.
 */
static char *
use_stand_in(struct options *o)
{
	char *folder = need(absolute(o->in_place_of)), *base, *path;

	base = strrchr(folder, '/');
	*base++ = '\0';
	if (asprintf(&path, "%s/%s", folder, base) == -1)
		err(EX_OSERR, "cannot build a path");
	o->stand_in = (struct conf_stand_in){ path, o->config };
	if (o->config_option != NULL)
		o->config = o->config_option;
	else if (asprintf(&path, "%.*s/bridled.conf",
			 (int)(strrchr(folder, '/') - folder), folder) != -1)
		o->config = path;
	else
		err(EX_OSERR, "cannot build a path");
	o->in_place_of = NULL;
	return folder;
}

/*
 * Return the absolute path of the folder conf.d. The folder is beside the file
 * that the command line names. If this file is a link, the folder is beside the
 * link, not beside its target. Exit on failure.
 */
static char *
find_folder(struct options *o)
{
	char *path, *folder;

	if (o->in_place_of != NULL && conf_files_is_drop_in(o->in_place_of))
		return use_stand_in(o);
	path = need(absolute(o->in_place_of ? o->in_place_of : o->config));
	folder = need(conf_files_folder(path));
	free(path);
	return folder;
}

static int
check(const struct options *o)
{
	struct settings *s;
	int status = load(o, true, &s);

	if (status != 0)
		return status;
	status = start_check(o, s);
	settings_free(s);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}

/*
 * Use the listening sockets that the service manager has passed, and open the
 * other listeners. Return 0. On failure, print a message and return -1.
 */
static int
open_listeners(struct parent *p, uid_t owner)
{
	struct listeners passed = p->listeners;
	struct buf errors = { 0 };
	int result;

	p->listeners = (struct listeners){ 0 };
	result = listeners_open(
		&p->listeners, &passed, p->settings, owner, &errors);
	/*
	 * Print the lines even after success, because they can be warnings
	 * about passed sockets.
	 */
	print_lines(&errors);
	if (result != 0)
		listeners_close(&passed);
	return result;
}

/*
 * Take the listening sockets and the notification socket of the service
 * manager. Call this before other code opens a descriptor or reads the
 * environment. Return 0. On failure, print a message and return -1.
 */
static int
take_from_manager(struct parent *p)
{
	struct buf errors = { 0 };
	int result = sd_activation_take(&p->listeners, &errors);

	print_lines(&errors);
	sd_notify_open(&p->sd_notify);
	return result;
}

/*
 * Change permanently to the daemon's user, and drop rights that the daemon does
 * not need. Return 0. On failure, print a message and return -1.
 */
static int
change_user(const struct settings *s, const struct account *user)
{
	const char *what;

	if (service_user_become(s, user) != 0) {
		warn("cannot become %s", s->user);
		return -1;
	}
	if (sandbox_parent(&what) != 0) {
		warn("cannot %s", what);
		return -1;
	}
	if (sandbox_is_service())
		peer_ignore_groups(geteuid());
	return 0;
}

/*
 * Write the process id to the pid file. Return the open descriptor, for
 * remove_pid(). On failure, print a message and return -1.
 */
static int
write_pid(const char *path)
{
	/*
	 * The daemon's user may own the directory. A link that this user makes
	 * there must not lead root to another file.
	 */
	struct buf why = { 0 };
	int fd = trusted_open(path, O_WRONLY | O_CREAT, 0644, &why);

	if (fd == -1) {
		warnx("%s", buf_str(&why));
	} else if (ftruncate(fd, 0) != 0 ||
		   dprintf(fd, "%d\n", (int)getpid()) <= 0) {
		warn("%s", path);
		fd_close(&fd);
	}
	buf_free(&why);
	return fd;
}

/*
 * Remove the pid file. If the daemon is not allowed to write to the directory,
 * empty the file, because another process may later get the same pid.
 */
static void
remove_pid(const char *path, int fd)
{
	if (fd != -1 && unlink(path) != 0 && ftruncate(fd, 0) != 0)
		warn("%s", path);
	fd_close(&fd);
}

/*
 * If the state_dir does not exist, create it for the daemon's user. Return -1
 * if this fails and the daemon needs the directory, otherwise 0.
 */
static int
make_state_dir(
	const struct settings *s, const struct account *user, bool needed)
{
	const char *dir = s->state_dir;
	int result = mkdir(dir, 0700);

	if (result == 0)
		result = lchown(dir, user->uid, user->gid);
	else if (errno == EEXIST)
		return 0;
	if (result != 0 && needed)
		fprintf(stderr, "%s: %s (state_dir, for the host key)\n", dir,
			strerror(errno));
	return needed ? result : 0;
}

static int
start_session_pool(struct parent *p)
{
	struct buf errors = { 0 };
	int result = resources_start_session_pool(p, p->settings, &errors);

	print_lines(&errors);
	return result;
}

/*
 * Print the fingerprint of the host key. Create the key if it does not exist.
 * Return an exit status.
 */
static int
print_fingerprint(const struct options *o)
{
	char fingerprint[TLS_FINGERPRINT_SIZE];
	struct buf errors = { 0 };
	struct account user;
	struct settings *s;
	int status = load(o, true, &s);

	if (status != 0)
		return status;
	if ((status = service_user_find(s, &user)) == 0) {
		status = EX_OSERR;
		if (make_state_dir(s, &user, true) == 0 &&
			change_user(s, &user) == 0 &&
			host_key_fingerprint(s, fingerprint, &errors) == 0) {
			puts(fingerprint);
			status = 0;
		}
	}
	print_lines(&errors);
	settings_free(s);
	if (status != 0)
		return status;
	return fflush(stdout) == 0 ? 0 : EX_IOERR;
}

/* Set up the daemon, and run its loop. Return an exit status. */
static int
serve(struct parent *p, const struct options *o, int ready)
{
	struct account user;
	int status = service_user_find(p->settings, &user), pid_fd = -1;

	if (status != 0)
		return status;
	status = EX_OSERR;
	if (make_state_dir(p->settings, &user, settings_has_tls(p->settings)) !=
		0)
		return status;
	if (open_listeners(p, user.uid) != 0)
		return status;
	accounts_read_files(&p->accounts);
	p->diag = peer_diag_open();
	p->hangups = hangup_open();
	if (o->pid_file != NULL && (pid_fd = write_pid(o->pid_file)) == -1)
		goto out;
	start_check_proc(p->settings, &user);
	if (change_user(p->settings, &user) != 0)
		goto out;
	if (start_session_pool(p) != 0)
		goto out;
	p->pid = getpid();
	p->logger = logger_open(p->settings->log_facility,
		p->settings->log_level, o->log_stderr);
	if (p->logger == NULL) {
		warn("cannot start the logger");
		goto out;
	}
	/*
	 * Keep standard error if --log-stderr is set, because a logger that
	 * starts later also writes to standard error.
	 */
	if (o->daemonize &&
		sandbox_silence(STDIN_FILENO,
			o->log_stderr ? STDOUT_FILENO : STDERR_FILENO) != 0)
		goto out;
	if (event_history_open(
		    &p->history, p->settings->limits.watch_history) != 0) {
		warn("cannot keep the history of events for subscribers");
		goto out;
	}
	status = loop_run(p, ready);
out:
	event_history_close(&p->history);
	logger_close(p->logger);
	session_pools_close(p->pools);
	accounts_close(&p->accounts);
	fd_close(&p->diag);
	fd_close(&p->hangups);
	listeners_close(&p->listeners);
	remove_pid(o->pid_file, pid_fd);
	return status;
}

/*
 * If the start has failed, send the exit status to the process that waits in
 * await(). Return the exit status.
 */
static int
report(int ready, int status)
{
	unsigned char byte = (unsigned char)status;

	if (ready != -1 && status != 0 && write(ready, &byte, 1) != 1)
		return EX_OSERR;
	return status;
}

/*
 * Return the present time in ms. The value differs for each run of the daemon.
 */
static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/*
 * Carry out an option that does not start the daemon, such as --check. Return
 * the exit status, or -1 if the command line has no such option.
 */
static int
do_once(const struct options *o)
{
	int status = -1;

	if (o->check)
		status = check(o);
	else if (o->entry != NULL)
		status = show_entries(o);
	else if (o->show)
		status = show(o);
	else if (o->outline)
		status = outline(o);
	else if (o->effective)
		status = effective_show(o->config, o->state_dir);
	else if (o->reload)
		status = effective_reload(o->config, o->state_dir);
	else if (o->fingerprint)
		status = print_fingerprint(o);
	if (status == EX_IOERR)
		warnx("the output could not be written completely");
	return status;
}

/*
 * True if a daemon with a wrong configuration should continue and refuse
 * clients. Return false if root has started the daemon, because a person at a
 * terminal then waits for the exit status.
 */
static bool
may_refuse(const struct parent *p)
{
	return p->listeners.n > 0 && geteuid() != 0;
}

/*
 * Take the settings that the child has loaded during the refusal. Return 0, or
 * EX_CONFIG with lines in `errors`, which are also printed.
 */
static int
take_settings(struct parent *p, const struct options *o, struct buf *errors)
{
	struct buf warnings = { 0 };

	buf_reset(errors);
	p->settings = load_child_take(
		&p->load, o->config, &p->accounts.files, errors, &warnings);
	print_lines(&warnings);
	if (p->settings != NULL)
		return 0;
	fputs(buf_str(errors), stderr);
	return EX_CONFIG;
}

/*
 * Refuse clients until a child has loaded the configuration again. Return 0, or
 * -1 to end the daemon.
 */
static int
refuse_clients(struct parent *p, const struct options *o,
	struct refusal *refusal, struct buf *errors)
{
	unsigned n = count_lines(errors);
	struct buf what = { 0 }, text = { 0 }, remark = { 0 };
	int result = -1;

	buf_addf(&what, "the configuration has %u error%s", n,
		n == 1 ? "" : "s");
	buf_addf(&text, "%s: see journalctl -u bridled", buf_str(&what));
	buf_addf(&remark, "Refusing all clients: %s. ", buf_str(&what));
	refusal->text = buf_str(&text);
	refusal->remark = buf_str(&remark);
	refusal->errors = buf_str(errors);
	if (!what.failed && !text.failed && !remark.failed) {
		warnx("%s: clients are refused until %s or a file in %s is "
		      "changed",
			what.data, o->config, o->folder);
		result = refuse_all(&p->listeners, &p->sd_notify, refusal);
		p->sd_notify.remark = "";
	}
	buf_free(&what);
	buf_free(&text);
	buf_free(&remark);
	return result;
}

/*
 * Load the settings. While the settings are wrong and may_refuse() returns
 * true, refuse all clients. Return an exit status. If a signal ends the daemon
 * in the meantime, return 0 without settings.
 */
static int
load_or_refuse(struct parent *p, const struct options *o)
{
	struct refusal refusal = { .path = o->config,
		.folder = o->folder,
		.effective = &p->effective,
		.load = &p->load };
	struct buf errors = { 0 };
	int status;

	refusal_look(&refusal);
	status = load_and_keep(o, true, &p->settings, &errors);
	while (status == EX_CONFIG && may_refuse(p)) {
		status = refuse_clients(p, o, &refusal, &errors);
		if (status == 0)
			status = take_settings(p, o, &errors);
	}
	load_child_end(&p->load);
	buf_free(&errors);
	buf_free(&refusal.before);
	effective_end(&p->effective);
	return status == -1 ? 0 : status;
}

int
main(int argc, char **argv)
{
	/*
	 * Make this struct static, because some members keep allocated paths
	 * until the process ends.
	 */
	static struct options o = { .config = SETTINGS_FILE };
	static struct parent p;
	int ready = -1, status;
	char *config, *pid_file = NULL;

	if (fd_std_open() != 0)
		return EX_OSERR;
	/* An inherited SIG_IGN would break waitpid(2). */
	signal(SIGCHLD, SIG_DFL);
	/* An inherited umask could let other users write the pid file. */
	umask(022);
	command_line_parse(argc, argv, &o);
	o.folder = find_folder(&o);
	if ((status = do_once(&o)) >= 0)
		return status;
	if (take_from_manager(&p) != 0)
		return EX_OSERR;
	/*
	 * Make the path absolute, so that a reload finds the file from any
	 * working directory.
	 */
	config = realpath(o.config, NULL);
	if (config == NULL && may_refuse(&p))
		config = absolute(o.config);
	if (config == NULL)
		err(EX_CONFIG, "%s", o.config);
	o.config = config;
	if (o.pid_file != NULL)
		o.pid_file = pid_file = absolute(o.pid_file);
	if (o.daemonize)
		ready = daemonize();
	session_pools_init(p.pools, o.daemonize && !o.log_stderr);
	TAILQ_INIT(&p.sessions);
	TAILQ_INIT(&p.rates);
	TAILQ_INIT(&p.actions);
	p.effective.lock = -1;
	p.started = clock_boot_ms();
	p.run = now_ms();
	p.load.fd = -1;
	p.conf_folder = o.folder;
	p.accounts.fd = -1;
	status = load_or_refuse(&p, &o);
	if (p.settings != NULL)
		status = serve(&p, &o, ready);
	settings_free(p.settings);
	free(pid_file);
	free(config);
	return report(ready, status);
}
