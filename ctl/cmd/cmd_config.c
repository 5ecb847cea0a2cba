#include "cmd/commands.h"
#include "config/config_apply.h"
#include "config/config_edit.h"
#include "config/run_bridled.h"
#include "fd.h"
#include "text.h"
#include "util/installed.h"
#include "util/message.h"
#include "util/write_out.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Execute bridled in place of bridlectl. The function returns only after an
 * error.
 */
static enum outcome
become(const char *option, const char *file)
{
	const char *args[] = { option, file, NULL };

	run_bridled_exec(args);
	return OUTCOME_UNREACHED;
}

/*
 * Show the effective settings of the daemon that runs with the file. If there
 * is no such daemon, show the settings of the file.
 */
static enum outcome
show(const char *file)
{
	struct buf text = { 0 }, why = { 0 };
	enum outcome outcome = OUTCOME_NO;

	if (config_effective(file, NULL, &text, &why)) {
		message_print("these are the effective settings of the running "
			      "daemon ('bridled --show %s' shows the settings "
			      "of the file)",
			file);
		if (write_out_buf(STDOUT_FILENO, &text) == 0)
			outcome = OUTCOME_DONE;
	} else {
		write_out_buf(STDERR_FILENO, &why);
		message_print("these are the settings of the file");
		outcome = become("--show", file);
	}
	buf_free(&text);
	buf_free(&why);
	return outcome;
}

/*
 * Write a text to a file in memory. Another program can read this file by the
 * path /dev/fd/NUMBER. Return the descriptor, or -1 with errno.
 */
static int
make_file(const char *text)
{
	int fd = memfd_create("settings", 0);

	if (fd != -1 && fd_write_all(fd, text, strlen(text)) != 0)
		fd_close(&fd);
	return fd;
}

static void __attribute__((noreturn))
run_diff(int one, int other, const char *file)
{
	struct buf left = { 0 }, right = { 0 };

	buf_addf(&left, "/dev/fd/%d", one);
	buf_addf(&right, "/dev/fd/%d", other);
	execlp("diff", "diff", "-u", "--label", "effective settings", "--label",
		file, buf_str(&left), buf_str(&right), (char *)NULL);
	message_print("cannot run diff: %s%s", strerror(errno),
		errno == ENOENT ? ": install diffutils" : "");
	_exit(2);
}

static enum outcome
await(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			return OUTCOME_UNREACHED;
	if (WIFEXITED(status) && WEXITSTATUS(status) < 2)
		return WEXITSTATUS(status) == 0 ? OUTCOME_DONE : OUTCOME_NO;
	return OUTCOME_UNREACHED;
}

static enum outcome
compare(const char *one, const char *other, const char *file)
{
	int left = make_file(one), right = make_file(other);
	pid_t pid = -1;

	if (left != -1 && right != -1)
		pid = fork();
	if (pid == 0)
		run_diff(left, right, file);
	if (pid == -1)
		message_print("cannot compare: %s", strerror(errno));
	fd_close(&right);
	fd_close(&left);
	return pid == -1 ? OUTCOME_UNREACHED : await(pid);
}

static enum outcome
diff(const char *file)
{
	const char *show[] = { "--show", file, NULL };
	struct buf now = { 0 }, next = { 0 }, why = { 0 };
	enum outcome outcome = OUTCOME_UNREACHED;

	if (!config_effective(file, NULL, &now, &why)) {
		write_out_buf(STDERR_FILENO, &why);
		message_print(
			"there is no running daemon to compare %s with", file);
	} else if (run_bridled(show, &next, NULL) != 0) {
		message_print("a reload would not accept %s", file);
	} else {
		outcome = compare(config_effective_settings(buf_str(&now)),
			buf_str(&next), file);
	}
	buf_free(&now);
	buf_free(&next);
	buf_free(&why);
	return outcome;
}

/* Apply the files that somebody has changed. */
static enum outcome
apply(const char *file, bool force)
{
	struct config_apply a = {
		.file = file, .force = force, .keep_rejected = true
	};

	/* An interrupt must not leave a half-applied configuration. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	return config_apply(&a);
}

enum { EDIT, APPLY, CHECK, SHOW, DIFF };

/* True if bridled is missing here. In this case print a message. */
static bool
is_missing(const char *file)
{
	if (strcmp(file, CONFIG_DEFAULT_FILE) != 0 || installed_bridled())
		return false;
	errno = ENOENT;
	installed_explain(file);
	return true;
}

static enum outcome
run(const struct invocation *inv)
{
	static const char *const actions[] = { [EDIT] = "edit",
		[APPLY] = "apply",
		[CHECK] = "check",
		[SHOW] = "show",
		[DIFF] = "diff",
		NULL };
	const char *what = inv->args[0];
	const char *file = inv->nargs > 1 ? inv->args[1] : CONFIG_DEFAULT_FILE;
	bool force = invocation_has(inv, OPT_FORCE);
	int action = text_index(actions, what);

	if (action < 0) {
		message_print("unknown '%s': use 'config edit', 'config "
			      "apply', 'config check', 'config show' or "
			      "'config diff'",
			what);
		return OUTCOME_USAGE;
	}
	if (force && action > APPLY) {
		message_print("config %s takes no --force", what);
		return OUTCOME_USAGE;
	}
	if (is_missing(file))
		return OUTCOME_NO;
	switch (action) {
	case EDIT:
		return config_edit(file, force);
	case APPLY:
		return apply(file, force);
	case CHECK:
		return become("--check", file);
	case SHOW:
		return show(file);
	default:
		return diff(file);
	}
}

const struct command cmd_config = { .name = "config",
	.args = "edit|apply|check|show|diff [FILE]",
	.help = "change, check and show the daemon's configuration",
	.examples = "config edit|edit, check and apply it\n"
		    "config apply|apply changed files, and test them\n"
		    "config check new.conf|check a file before its use\n"
		    "config show|all effective settings\n"
		    "config diff|compare file and running daemon\n",
	.options = OPT_BIT(OPT_FORCE),
	.args_min = 1,
	.args_max = 2,
	.takes = { { ARG_CHOICE, "edit|apply|check|show|diff" },
		{ ARG_FILE, NULL } },
	.run = run };
