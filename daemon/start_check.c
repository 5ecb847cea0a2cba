#include "start_check.h"

#include "action/proc.h"
#include "action/user_cache.h"
#include "buf.h"
#include "conf_files.h"
#include "net/listen_check.h"
#include "policy/lockout_check.h"
#include "service_user.h"
#include "session_check.h"
#include "sys/sandbox.h"

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

/*
 * Print that the user has access, or that the user has no access. Print the
 * reason too. Return 0 if the user has access, otherwise an exit status.
 */
static int
check_access(const struct settings *s, const char *user,
	const struct account *service)
{
	struct lockout_owner owner = { service->uid, getegid() };
	struct buf how = { 0 };
	bool given;
	uid_t uid;

	if (user_cache_uid(user, &uid) != 0) {
		if (errno == ESRCH) {
			warnx("there is no user '%s'", user);
			return EX_NOUSER;
		}
		warn("the user '%s' cannot be looked up now", user);
		return EX_TEMPFAIL;
	}
	given = lockout_check(s, &owner, uid, &how);
	if (given)
		printf("%s has access: %s\n", user, buf_str(&how));
	else
		warnx("%s: %s would have no access: %s", s->path, user,
			buf_str(&how));
	buf_free(&how);
	return given ? 0 : EX_NOPERM;
}

/* True if the verbs `list` and `kill` could not see other users' processes. */
static bool
is_blind(const struct settings *s, const struct account *user)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (service_user_become(s, user) != 0)
			_exit(0);
		sandbox_child(SANDBOX_LIST);
		_exit(proc_hides_others(proc_open()));
	}
	return pid != -1 && waitpid(pid, &status, 0) == pid &&
	       WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

void
start_check_proc(const struct settings *s, const struct account *user)
{
	if (is_blind(s, user))
		warnx("list and kill cannot see " PROC_HIDDEN
		      ". Mount /proc with hidepid=0, or with gid= of a group "
		      "that %s is in: see hidepid in bridled(8)",
			geteuid() == 0 ? s->user : "the daemon's user");
}

/*
 * True if the daemon's user can read the file `path` and the files of the
 * folder. Otherwise print the cause and return false.
 */
static bool
user_can_read(const struct settings *s, const struct account *user,
	const char *path, const char *folder)
{
	struct buf errors = { 0 };
	struct conf_files files;
	pid_t pid;
	int status;

	if (user->uid == geteuid())
		return true;
	if ((pid = fork()) == 0) {
		if (service_user_become(s, user) != 0)
			/*
			 * ignore this error here, because the start of the
			 * daemon reports it
			 */
			_exit(0);
		if (conf_files_read(&files, path, folder, &errors) == 0)
			_exit(0);
		buf_addf(&errors,
			"(the daemon runs as user %s, and must read this file "
			"at each reload, and under systemd at the start: try "
			"chgrp %s and chmod 640)\n",
			s->user, s->user);
		fputs(buf_str(&errors), stderr);
		_exit(EX_CONFIG);
	}
	return pid == -1 || waitpid(pid, &status, 0) != pid || status == 0;
}

/*
 * True if the daemon could start with these settings. Otherwise print the cause
 * and return false.
 */
static bool
could_start(const struct options *o, const struct settings *s,
	const struct account *user, const char *path)
{
	struct buf errors = { 0 }, notes = { 0 };
	bool good = user_can_read(s, user, path, o->folder);

	listen_check(s, path, o->passed, &errors, &notes);
	if (geteuid() != 0 && strcmp(path, SETTINGS_FILE) == 0)
		buf_addf(&notes,
			"%s: checked with your rights only; check as root to "
			"test if %s can read the file, open the listeners and "
			"use the host key\n",
			path, s->user);
	else
		session_check(s, user, &errors);
	good &= errors.len == 0;
	fputs(buf_str(&errors), stderr);
	fputs(buf_str(&notes), stderr);
	buf_free(&errors);
	buf_free(&notes);
	return good;
}

/* Print the time at which each entry with the key `until` expires. */
static void
print_times(const struct settings *s)
{
	const struct settings_client *c;
	struct buf time = { 0 };

	for (c = s->clients; c < s->clients + s->nclients; c++) {
		if (c->until_text == NULL)
			continue;
		buf_reset(&time);
		settings_print_until(c, &time);
		printf("%s:%d: %s expires at %s\n", c->file, c->line, c->name,
			buf_str(&time));
	}
	buf_free(&time);
}

int
start_check(const struct options *o, const struct settings *s)
{
	const char *installed =
		o->in_place_of != NULL ? o->in_place_of : o->config;
	struct account user;
	int status = service_user_find(s, &user);

	if (status != 0)
		return status;
	if (!could_start(o, s, &user, installed))
		return EX_CONFIG;
	printf("%s: ok\n", o->config);
	print_times(s);
	start_check_proc(s, &user);
	return o->access != NULL ? check_access(s, o->access, &user) : 0;
}
