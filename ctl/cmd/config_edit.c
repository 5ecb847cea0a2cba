#include "cmd/config_edit.h"

#include "cmd/config_file.h"
#include "cmd/editor.h"
#include "cmd/run_bridled.h"
#include "conf_files.h"
#include "text.h"
#include "util/message.h"
#include "util/prompt.h"
#include "util/write_out.h"

#include <libgen.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct edit {
	char *name; /* path of the file, as name_of() returns it */
	/*
	 * Path of the main file: `name`, or bridled.conf beside the folder
	 * conf.d that has the file.
	 */
	char *main;
	struct config_file file;
	struct buf who; /* name of the user, or uid if there is no name */
	bool had_access;
	bool force;
	struct buf state_dir; /* state_dir of the running daemon, or empty */
	bool keep_copy;
};

/*
 * Return the uid of the user who runs the edit. With sudo, return the uid of
 * the user who called sudo.
 */
static uid_t
find_asker(void)
{
	const char *sudo = getuid() == 0 ? getenv("SUDO_UID") : NULL;
	long uid;

	if (sudo != NULL && text_number(sudo, 0, UINT32_MAX - 1L, &uid) == 0)
		return (uid_t)uid;
	return getuid();
}

static void
name_asker(struct buf *who)
{
	uid_t uid = find_asker();
	const struct passwd *pw = getpwuid(uid);

	if (pw != NULL)
		buf_adds(who, pw->pw_name);
	else
		buf_addf(who, "%u", uid);
}

/*
 * Let bridled check a file. If `access` is true, bridled also checks that the
 * user has access. Append the error messages of bridled to `err`. Return the
 * exit status of bridled, or RUN_BRIDLED_FAILED.
 */
static int
check(struct edit *e, const char *path, bool access, struct buf *err)
{
	const char *args[] = { "--check", path, "--in-place-of", e->name,
		access ? "--access" : NULL, buf_str(&e->who), NULL };
	struct buf out = { 0 };
	int status = run_bridled(args, &out, err);

	buf_free(&out);
	return status;
}

/*
 * Print the messages of bridled. Replace the path of the copy by the path of
 * the file.
 */
static void
show_complaints(const struct edit *e, struct buf *said)
{
	const char *from = buf_str(said), *at;
	size_t len = strlen(e->file.copy);
	struct buf out = { 0 };

	for (; (at = strstr(from, e->file.copy)) != NULL; from = at + len) {
		buf_add(&out, from, (size_t)(at - from));
		buf_adds(&out, e->file.path);
	}
	buf_adds(&out, from);
	write_out_buf(STDERR_FILENO, &out);
	buf_free(&out);
}

/*
 * True if bridled accepts the copy, and the user keeps access. With --force,
 * the user may lose access.
 */
static bool
is_good(struct edit *e)
{
	struct buf err = { 0 };
	int status = check(e, e->file.copy, e->had_access, &err);

	if (status != RUN_BRIDLED_FAILED)
		show_complaints(e, &err);
	if (status == EX_NOPERM && e->force)
		message_print("--force: the change is accepted anyway");
	else if (status == EX_NOPERM)
		message_print("this change would take away your access: allow "
			      "%s, or use --force",
			buf_str(&e->who));
	buf_free(&err);
	return status == 0 || (status == EX_NOPERM && e->force);
}

enum attempt { ATTEMPT_SAME, ATTEMPT_GOOD, ATTEMPT_BAD, ATTEMPT_FAILED };

static enum attempt
attempt(struct edit *e)
{
	bool edited = editor_run(e->file.copy) == 0;
	enum config_copy copy = config_file_look(&e->file);

	if (copy == COPY_SAME)
		return edited ? ATTEMPT_SAME : ATTEMPT_FAILED;
	if (copy == COPY_BAD || !edited)
		return ATTEMPT_BAD;
	return is_good(e) ? ATTEMPT_GOOD : ATTEMPT_BAD;
}

static bool
wants_to_edit_again(void)
{
	return prompt_terminal() &&
	       prompt_choice("What now? (e)dit again, (d)iscard:", "ed") == 'e';
}

/*
 * Reload the daemon that runs with the file. bridled itself prints the result.
 */
static enum outcome
reload(struct edit *e)
{
	const char *dir = buf_str(&e->state_dir);
	const char *args[] = { "--reload", e->main,
		*dir != '\0' ? "--state-dir" : NULL, dir, NULL };

	switch (run_bridled(args, NULL, NULL)) {
	case 0:
		return OUTCOME_DONE;
	case EX_UNAVAILABLE:
		message_print(
			"the change takes effect at the next start of bridled "
			"(to reload a daemon that was not found: 'kill -HUP')");
		return OUTCOME_DONE;
	case EX_CONFIG:
		message_print(
			"correct the file with 'bridlectl config edit', or "
			"restart bridled if a reload cannot apply the change");
		return OUTCOME_NO;
	case EX_NOPERM:
		message_print("a daemon that runs with this file still needs a "
			      "reload");
		return OUTCOME_NO;
	default:
		return OUTCOME_UNREACHED;
	}
}

static enum outcome
install(struct edit *e)
{
	if (config_file_install(&e->file) == 0) {
		message_print("%s is changed", e->file.path);
		return reload(e);
	}
	message_print("your changes are in %s", e->file.copy);
	e->keep_copy = true;
	return OUTCOME_NO;
}

static enum outcome
edit(struct edit *e)
{
	enum attempt result;

	while ((result = attempt(e)) == ATTEMPT_BAD)
		if (!wants_to_edit_again())
			break;
	if (result == ATTEMPT_GOOD)
		return install(e);
	message_print(result == ATTEMPT_BAD ? "discarded: %s is unchanged"
					    : "%s is unchanged",
		e->file.path);
	return result == ATTEMPT_SAME ? OUTCOME_DONE : OUTCOME_NO;
}

/*
 * Before the change, store the user's name, the user's access and the daemon's
 * state_dir.
 */
static void
look_around(struct edit *e)
{
	struct buf text = { 0 }, why = { 0 };

	name_asker(&e->who);
	e->had_access = check(e, e->file.path, true, &why) == 0;
	if (config_effective(e->main, &text, &why))
		config_effective_state_dir(buf_str(&text), &e->state_dir);
	buf_free(&text);
	buf_free(&why);
}

/*
 * Return the path with the real path of its folder. If the file itself is a
 * link, keep its name, because the folder conf.d is beside the link. The caller
 * frees the path. Return NULL if no memory is available.
 */
static char *
name_of(const char *file)
{
	char *copy = strdup(file), *folder, *name = NULL;
	const char *base = strrchr(file, '/');

	folder = copy != NULL ? realpath(dirname(copy), NULL) : NULL;
	if (folder == NULL)
		name = strdup(file);
	else if (asprintf(&name, "%s/%s", folder,
			 base != NULL ? base + 1 : file) == -1)
		name = NULL;
	free(folder);
	free(copy);
	return name;
}

/*
 * Return the path of the main file, which the caller frees. `name` is the
 * result of name_of(). Return NULL if no memory is available.
 */
static char *
main_of(const char *name)
{
	char *copy = strdup(name), *main = NULL;

	if (copy == NULL || !conf_files_is_drop_in(name))
		return copy;
	if (asprintf(&main, "%s/bridled.conf", dirname(dirname(copy))) == -1)
		main = NULL;
	free(copy);
	return main;
}

enum outcome
config_edit(const char *file, bool force)
{
	struct edit e = { .name = name_of(file), .force = force };
	enum outcome outcome = OUTCOME_NO;

	/*
	 * Ignore ^C in bridlectl. The editor and the prompt handle ^C
	 * themselves. At any other time, ^C would end bridlectl, and the copy
	 * would not be removed.
	 */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	if (e.name == NULL || (e.main = main_of(e.name)) == NULL)
		message_print("out of memory");
	else if (config_file_open(&e.file, file) == 0) {
		look_around(&e);
		outcome = edit(&e);
		config_file_close(&e.file, e.keep_copy);
	}
	free(e.main);
	free(e.name);
	buf_free(&e.who);
	buf_free(&e.state_dir);
	return outcome;
}
