#include "config_edit.h"

#include "bridled.h"
#include "config_file.h"
#include "config_in_force.h"
#include "confirm.h"
#include "editor.h"
#include "notice.h"
#include "output.h"
#include "text.h"

#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct edit {
	struct config_file file;
	struct buf who; /* is asking: a name, or a number */
	bool had_access;
	bool force;
	struct buf state_dir; /* of the daemon that runs; "" if none does */
	bool keep_copy;
};

/* Root may be somebody who has become it by sudo. */
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

static bool
has_access(struct edit *e)
{
	const char *args[] = { "--check", e->file.path, "--access",
		buf_str(&e->who), NULL };
	struct buf out = { 0 }, err = { 0 };
	int status = bridled_run(args, &out, &err);

	buf_free(&out);
	buf_free(&err);
	return status == 0;
}

/* What bridled says of the copy, as if it were of the file. */
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
	output_buf(STDERR_FILENO, &out);
	buf_free(&out);
}

/* Whether bridled would take the copy, and let in who is asking. */
static bool
is_good(struct edit *e)
{
	const char *args[] = { "--check", e->file.copy,
		e->had_access ? "--access" : NULL, buf_str(&e->who), NULL };
	struct buf out = { 0 }, err = { 0 };
	int status = bridled_run(args, &out, &err);

	if (status != BRIDLED_FAILED)
		show_complaints(e, &err);
	if (status == EX_NOPERM && e->force)
		notice("--force: it is taken nevertheless");
	else if (status == EX_NOPERM)
		notice("that would shut you out: let in %s, or say --force",
			buf_str(&e->who));
	buf_free(&out);
	buf_free(&err);
	return status == 0 || (status == EX_NOPERM && e->force);
}

enum attempt { ATTEMPT_SAME, ATTEMPT_GOOD, ATTEMPT_BAD, ATTEMPT_FAILED };

static enum attempt
attempt(struct edit *e)
{
	bool edited = editor_run(e->file.copy) == 0;
	struct buf problem = { 0 };
	enum config_copy copy = config_file_look(&e->file, &problem);

	if (copy == COPY_BAD)
		notice("%s", buf_str(&problem));
	buf_free(&problem);
	if (copy == COPY_SAME)
		return edited ? ATTEMPT_SAME : ATTEMPT_FAILED;
	if (copy == COPY_BAD || !edited)
		return ATTEMPT_BAD;
	return is_good(e) ? ATTEMPT_GOOD : ATTEMPT_BAD;
}

static bool
wants_to_edit_again(void)
{
	return confirm_terminal() &&
	       confirm_choose("What now? (e)dit again, (d)iscard:", "ed") ==
		       'e';
}

/* The daemon's own words tell what came of it. */
static enum outcome
reload(struct edit *e)
{
	const char *dir = buf_str(&e->state_dir);
	const char *args[] = { "--reload", e->file.path,
		*dir != '\0' ? "--state-dir" : NULL, dir, NULL };

	switch (bridled_run(args, NULL, NULL)) {
	case 0:
		return OUTCOME_DONE;
	case EX_UNAVAILABLE:
		notice("it counts from the next start of bridled on (one that "
		       "runs unseen takes it by 'kill -HUP')");
		return OUTCOME_DONE;
	case EX_CONFIG:
		notice("mend it ('bridlectl config edit' again), or restart "
		       "bridled if a reload cannot do it");
		return OUTCOME_NO;
	case EX_NOPERM:
		notice("a daemon that runs with it has yet to be reloaded");
		return OUTCOME_NO;
	default:
		return OUTCOME_UNREACHED;
	}
}

static enum outcome
install(struct edit *e)
{
	struct buf problem = { 0 };
	int result = config_file_install(&e->file, &problem);

	if (result != 0) {
		notice("%s", buf_str(&problem));
		notice("what you wrote is in %s", e->file.copy);
		e->keep_copy = true;
	} else {
		notice("%s is changed", e->file.path);
	}
	buf_free(&problem);
	return result == 0 ? reload(e) : OUTCOME_NO;
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
	notice(result == ATTEMPT_BAD ? "discarded: %s is as it was"
				     : "nothing is changed in %s",
		e->file.path);
	return result == ATTEMPT_SAME ? OUTCOME_DONE : OUTCOME_NO;
}

/* What holds before the change. */
static void
look_around(struct edit *e)
{
	struct buf text = { 0 }, why = { 0 };

	name_asker(&e->who);
	e->had_access = has_access(e);
	if (config_in_force(e->file.path, &text, &why))
		config_in_force_state_dir(buf_str(&text), &e->state_dir);
	buf_free(&text);
	buf_free(&why);
}

enum outcome
config_edit(const char *file, bool force)
{
	struct edit e = { .force = force };
	struct buf problem = { 0 };
	enum outcome outcome = OUTCOME_NO;

	/*
	 * ^C is the editor's, and later that of the question: between them
	 * it would leave the copy behind.
	 */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	if (config_file_open(&e.file, file, &problem) == 0) {
		look_around(&e);
		outcome = edit(&e);
		config_file_close(&e.file, e.keep_copy);
	} else {
		notice("%s", buf_str(&problem));
	}
	buf_free(&e.who);
	buf_free(&e.state_dir);
	buf_free(&problem);
	return outcome;
}
