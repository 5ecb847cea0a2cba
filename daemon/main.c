/*
 * bridled: a remote-control command daemon. See bridled(8).
 */
#include "config.h"

#include "access.h"
#include "activation.h"
#include "buf.h"
#include "clock.h"
#include "command_line.h"
#include "fd.h"
#include "host_key.h"
#include "identity.h"
#include "parent.h"
#include "running.h"
#include "sandbox.h"
#include "settings.h"
#include "state_dir.h"
#include "users.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

/* Prints what is wrong and unwise; NULL if it is wrong. */
static struct settings *
load(const struct options *o, bool resolve)
{
	struct buf errors = { 0 }, warnings = { 0 };
	struct settings *s;

	s = settings_load(o->config, resolve, &errors, &warnings);
	if (warnings.len > 0)
		fprintf(stderr, "%s", buf_str(&warnings));
	if (s == NULL)
		fprintf(stderr, "%s", buf_str(&errors));
	buf_free(&errors);
	buf_free(&warnings);
	return s;
}

static int
show(const struct options *o)
{
	struct settings *s = load(o, false);

	if (s == NULL)
		return EX_CONFIG;
	settings_print(s, stdout);
	settings_free(s);
	return fflush(stdout) == 0 ? 0 : EX_IOERR;
}

/*
 * Waits for the daemon to serve, and ends with its status: 0 is what it
 * sends when it does. Without a byte it has failed, and has said why.
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

/* Into the background; returns there, with where to say that it serves. */
static int
daemonize(void)
{
	int pipes[2];
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) != 0 || (pid = fork()) == -1)
		err(EX_OSERR, "cannot go into the background");
	if (pid > 0) {
		close(pipes[1]);
		waitpid(pid, NULL, 0);
		await(pipes[0]);
	}
	close(pipes[0]);
	/* Twice, so that it can never get a controlling terminal again. */
	if (setsid() == -1 || (pid = fork()) == -1)
		err(EX_OSERR, "cannot go into the background");
	if (pid > 0)
		_exit(0);
	if (chdir("/") != 0)
		err(EX_OSERR, "/");
	return pipes[1];
}

/* Whatever the working directory is later; ends the program if it cannot. */
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

/* The user to become; the present one unless we are root. */
static const struct passwd *
find_user(const struct settings *s)
{
	const struct passwd *pw;

	if (geteuid() != 0)
		return NULL;
	if ((pw = getpwnam(s->user)) == NULL)
		warnx("there is no user '%s': create it (useradd --system "
		      "--user-group --shell /usr/sbin/nologin %s) or set user "
		      "in %s",
			s->user, s->user, s->path);
	return pw;
}

/* Whether he gets in; pw is whom the daemon becomes, NULL if nobody else. */
static int
check_access(
	const struct settings *s, const char *user, const struct passwd *pw)
{
	struct access_owner owner = { pw != NULL ? pw->pw_uid : geteuid(),
		getegid() };
	struct buf how = { 0 };
	bool given;
	uid_t uid;

	if (users_uid(user, &uid) != 0) {
		warnx("there is no user '%s'", user);
		return EX_NOUSER;
	}
	given = access_given(s, &owner, uid, &how);
	if (given)
		printf("%s has access: %s\n", user, buf_str(&how));
	else
		warnx("%s: %s would have no access: %s", s->path, user,
			buf_str(&how));
	buf_free(&how);
	return given ? 0 : EX_NOPERM;
}

static int
check(const struct options *o)
{
	struct settings *s = load(o, true);
	const struct passwd *pw;
	int status = 0;

	if (s == NULL)
		return EX_CONFIG;
	/* Only root changes to that user, so only root needs him. */
	if ((pw = find_user(s)) == NULL && geteuid() == 0)
		status = EX_NOUSER;
	else
		printf("%s: ok\n", o->config);
	if (status == 0 && o->access != NULL)
		status = check_access(s, o->access, pw);
	settings_free(s);
	return status;
}

/* Those that were passed to us, and the rest by ourselves. */
static int
open_listeners(struct parent *p, uid_t owner)
{
	struct listeners passed = p->listeners;
	struct buf errors = { 0 };
	int result;

	p->listeners = (struct listeners){ 0 };
	result = listeners_open(
		&p->listeners, &passed, p->settings, owner, &errors);
	/* Of those that it took over, there may be something to say. */
	fprintf(stderr, "%s", buf_str(&errors));
	if (result != 0)
		listeners_close(&passed);
	buf_free(&errors);
	return result;
}

/* Before anything else opens a descriptor, or knows the environment. */
static int
meet_manager(struct parent *p)
{
	struct buf errors = { 0 };
	int result = activation_take(&p->listeners, &errors);

	if (result != 0)
		fprintf(stderr, "%s", buf_str(&errors));
	buf_free(&errors);
	notify_open(&p->notify);
	return result;
}

/* Root becomes the service's user; anybody else stays who he is. */
static int
change_user(const struct passwd *pw)
{
	const char *what;

	if (pw != NULL && pw->pw_uid != 0 &&
		sandbox_become(pw->pw_uid, pw->pw_gid, pw->pw_name) != 0) {
		warn("cannot become %s", pw->pw_name);
		return -1;
	}
	if (sandbox_parent(&what) != 0) {
		warn("cannot %s", what);
		return -1;
	}
	if (sandbox_is_service())
		identity_ignore_groups(geteuid());
	return 0;
}

/* Returns the open file, for remove_pid(), or -1. */
static int
write_pid(const char *path)
{
	/* The folder may be the service's user's, who shall lead root nowhere.
	 */
	int fd = open(path,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd != -1 && dprintf(fd, "%d\n", (int)getpid()) > 0)
		return fd;
	warn("%s", path);
	fd_close(&fd);
	return -1;
}

/*
 * The folder may be root's, which we are no more: then at least no number
 * stays behind that will be another's one day.
 */
static void
remove_pid(const char *path, int fd)
{
	if (fd != -1 && unlink(path) != 0 && ftruncate(fd, 0) != 0)
		warn("%s", path);
	fd_close(&fd);
}

/* From here on, only the logger speaks. */
static int
let_go_of_terminal(const struct options *o)
{
	if (freopen("/dev/null", "r", stdin) == NULL ||
		freopen("/dev/null", "w", stdout) == NULL)
		return -1;
	/* A logger that takes the place of one that died still needs it. */
	if (!o->log_stderr && freopen("/dev/null", "w", stderr) == NULL)
		return -1;
	return 0;
}

/* As whom the daemon runs: what root makes for it must be his. */
static int
make_folder(const struct settings *s, const struct passwd *pw, bool needed)
{
	struct buf errors = { 0 };
	int result = state_dir_make(s, pw != NULL ? pw->pw_uid : geteuid(),
		pw != NULL ? pw->pw_gid : getegid(), &errors);

	if (result != 0 && needed)
		fprintf(stderr, "%s", buf_str(&errors));
	buf_free(&errors);
	return needed ? result : 0;
}

static int
read_fingerprint(
	const struct settings *s, char fingerprint[TLS_FINGERPRINT_SIZE])
{
	struct buf errors = { 0 };
	int result = host_key_fingerprint(s, fingerprint, &errors);

	fprintf(stderr, "%s", buf_str(&errors));
	buf_free(&errors);
	return result;
}

static int
start_spares(struct parent *p)
{
	struct buf errors = { 0 };
	int result = parent_start_spares(p, p->settings, &errors);

	fprintf(stderr, "%s", buf_str(&errors));
	buf_free(&errors);
	return result;
}

/* Prints the host key's fingerprint; makes the key, if there is none yet. */
static int
print_fingerprint(const struct options *o)
{
	char fingerprint[TLS_FINGERPRINT_SIZE];
	struct settings *s = load(o, true);
	const struct passwd *pw;
	int result = -1;

	if (s == NULL)
		return EX_CONFIG;
	pw = find_user(s);
	if ((geteuid() != 0 || pw != NULL) && make_folder(s, pw, true) == 0 &&
		change_user(pw) == 0 &&
		(result = read_fingerprint(s, fingerprint)) == 0)
		puts(fingerprint);
	settings_free(s);
	if (result != 0)
		return EX_OSERR;
	return fflush(stdout) == 0 ? 0 : EX_IOERR;
}

/* From the settings to the loop; an exit status. */
static int
serve(struct parent *p, const struct options *o, int ready)
{
	const struct passwd *pw = find_user(p->settings);
	uid_t owner = pw != NULL ? pw->pw_uid : geteuid();
	int status = EX_OSERR, pid_fd = -1;

	if (geteuid() == 0 && pw == NULL)
		return EX_NOUSER;
	if (make_folder(p->settings, pw, host_key_needed(p->settings)) != 0)
		return EX_OSERR;
	if (open_listeners(p, owner) != 0)
		return EX_OSERR;
	p->diag = identity_diag_open();
	if (o->pid_file != NULL && (pid_fd = write_pid(o->pid_file)) == -1)
		goto out;
	if (change_user(pw) != 0)
		goto out;
	if (start_spares(p) != 0)
		goto out;
	p->pid = getpid();
	p->audit = audit_open(p->settings->log_facility, p->settings->log_level,
		o->log_stderr);
	if (p->audit == NULL) {
		warn("cannot start the logger");
		goto out;
	}
	if (o->daemonize && let_go_of_terminal(o) != 0)
		goto out;
	if (history_open(&p->history, p->settings->limits.watch_history) != 0) {
		warn("cannot keep records for those who watch");
		goto out;
	}
	status = parent_run(p, ready);
out:
	history_close(&p->history);
	audit_close(p->audit);
	spares_close(&p->spares);
	fd_close(&p->diag);
	listeners_close(&p->listeners);
	remove_pid(o->pid_file, pid_fd);
	return status;
}

/* A starter that waits is told with which status we end. */
static int
report(int ready, int status)
{
	unsigned char byte = (unsigned char)status;

	if (ready != -1 && status != 0 && write(ready, &byte, 1) != 1)
		return EX_OSERR;
	return status;
}

/* No two runs of the daemon begin in the same millisecond. */
static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int
main(int argc, char **argv)
{
	struct options o = { .config = SETTINGS_FILE };
	static struct parent p;
	int ready = -1, status;
	char *config, *pid_file = NULL;

	if (fd_std_open() != 0)
		return EX_OSERR;
	umask(022); /* whatever it was: nobody else writes our pid file */
	command_line_parse(argc, argv, &o);
	if (o.check)
		return check(&o);
	if (o.show)
		return show(&o);
	if (o.in_force)
		return running_show(o.config, o.state_dir);
	if (o.reload)
		return running_reload(o.config, o.state_dir);
	if (o.fingerprint)
		return print_fingerprint(&o);
	if (meet_manager(&p) != 0)
		return EX_OSERR;
	/* A reload finds it whatever the working directory is then. */
	if ((config = realpath(o.config, NULL)) == NULL)
		err(EX_CONFIG, "%s", o.config);
	o.config = config;
	if (o.pid_file != NULL)
		o.pid_file = pid_file = absolute(o.pid_file);
	if (o.daemonize)
		ready = daemonize();
	spares_init(&p.spares, o.daemonize && !o.log_stderr);
	TAILQ_INIT(&p.sessions);
	TAILQ_INIT(&p.actions);
	p.in_force.lock = -1;
	p.started = clock_ms();
	p.run = now_ms();
	p.settings = load(&o, true);
	status = p.settings == NULL ? EX_CONFIG : serve(&p, &o, ready);
	settings_free(p.settings);
	free(pid_file);
	free(config);
	return report(ready, status);
}
