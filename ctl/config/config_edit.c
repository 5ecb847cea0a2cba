#include "config/config_edit.h"

#include "config/caller.h"
#include "config/config_apply.h"
#include "config/config_changes.h"
#include "config/config_file.h"
#include "config/config_lock.h"
#include "config/editor.h"
#include "config/run_bridled.h"
#include "fd.h"
#include "util/message.h"
#include "util/prompt.h"
#include "util/write_out.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct edit {
	char *name; /* path of the file, as config_file_name() returns it */
	/* Path of the main file, as config_file_main() returns it. */
	char *main;
	struct config_file file;
	struct caller caller;
	bool had_access;
	bool force;
	struct buf state_dir; /* state_dir of the running daemon, or empty */
	bool keep_copy;
};

/*
 * Run bridled to check a file. If `access` is true, bridled also checks that
 * the user has access. Append the error messages of bridled to `err`. Return
 * the exit status of bridled, or RUN_BRIDLED_FAILED.
 */
static int
check(struct edit *e, const char *path, bool access, struct buf *err)
{
	const char *args[] = { "--check", path, "--in-place-of", e->name,
		access ? "--access" : NULL, buf_str(&e->caller.name), NULL };
	struct buf out = { 0 };
	int status = run_bridled(args, &out, err);

	buf_free(&out);
	return status;
}

/*
 * Print the messages of bridled. In the messages, replace the path of the copy
 * by the path of the file.
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
			buf_str(&e->caller.name));
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
 * Apply the file after the copy has replaced the file. If the daemon does not
 * serve the new text, restore the old text.
 */
static enum outcome
apply(struct edit *e)
{
	struct config_changes changes = { 0 };
	struct config_apply a = { .file = e->main,
		.changes = &changes,
		.state_dir =
			e->state_dir.len > 0 ? buf_str(&e->state_dir) : NULL,
		.force = e->force || !e->had_access,
		.keep_rejected = true,
		.checked = true,
		.locked = true };
	enum outcome outcome = OUTCOME_NO;

	if (config_changes_add(
		    &changes, e->file.path, e->file.text, e->file.len) == 0)
		outcome = config_apply(&a);
	config_changes_free(&changes);
	return outcome;
}

/*
 * Replace the file by the copy, and apply the new file. Take the lock before
 * the replacement, so that an undo does not remove the change of another
 * program.
 */
static enum outcome
install(struct edit *e)
{
	enum outcome outcome = OUTCOME_NO;
	int lock = config_lock(e->main);

	if (lock != -1 && config_file_install(&e->file) == 0) {
		message_print("%s is changed", e->file.path);
		outcome = apply(e);
	} else {
		message_print("your changes are in %s", e->file.copy);
		e->keep_copy = true;
	}
	fd_close(&lock);
	return outcome;
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

	caller_find(&e->caller);
	e->had_access = check(e, e->file.path, true, &why) == 0;
	if (config_effective(e->main, NULL, &text, &why))
		config_effective_state_dir(buf_str(&text), &e->state_dir);
	buf_free(&text);
	buf_free(&why);
}

enum outcome
config_edit(const char *file, bool force)
{
	struct edit e = { .name = config_file_name(file), .force = force };
	enum outcome outcome = OUTCOME_NO;

	/*
	 * Ignore ^C in bridlectl. The editor and the prompt handle ^C
	 * themselves. At any other time, ^C would end bridlectl before
	 * bridlectl has removed the copy.
	 */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	if (e.name == NULL || (e.main = config_file_main(e.name)) == NULL)
		message_print("out of memory");
	else if (config_file_open(&e.file, file) == 0) {
		look_around(&e);
		outcome = edit(&e);
		config_file_close(&e.file, e.keep_copy);
	}
	free(e.main);
	free(e.name);
	caller_free(&e.caller);
	buf_free(&e.state_dir);
	return outcome;
}
