#include "config/config_apply.h"

#include "config/announce.h"
#include "config/caller.h"
#include "config/config_file.h"
#include "config/config_lock.h"
#include "config/config_served.h"
#include "config/listen_proof.h"
#include "config/run_bridled.h"
#include "config/service_units.h"
#include "fd.h"
#include "util/message.h"
#include "util/write_out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* One call of config_apply(). */
struct apply {
	const struct config_apply *asked;
	char *file; /* absolute path of the main file, which can be a link */
	int lock;
	bool managed; /* true if systemd opens the sockets */
	bool changed; /* true if addresses were opened or closed */
	struct service_units units;
	struct caller caller;
	bool had_access;
	struct buf state_dir; /* state_dir of the running daemon, or empty */
	/* the changes to undo; empty if there is nothing to undo */
	const struct config_changes *back;
	struct config_changes since_served;
	/* true if there is a copy; only then since_served is known */
	bool has_copy;
};

static bool
is_default(const char *file)
{
	char *path = realpath(CONFIG_DEFAULT_FILE, NULL);
	char *other = realpath(file, NULL);
	bool same = path != NULL && other != NULL && strcmp(path, other) == 0;

	free(path);
	free(other);
	return same;
}

static void
look_at_units(struct apply *a)
{
	service_units_free(&a->units);
	/* Keep `managed` true even if the change has stopped the units. */
	a->managed |= service_units_look(&a->units);
}

/*
 * Store the state before the change: the access of the caller, the daemon's
 * state_dir, the units of systemd, and the changes to undo.
 */
static void
look_around(struct apply *a)
{
	struct buf text = { 0 }, why = { 0 };
	bool runs;

	if (is_default(a->file))
		look_at_units(a);
	caller_find(&a->caller);
	a->had_access = true;
	runs = config_effective(a->file, a->asked->state_dir, &text, &why);
	if (runs) {
		config_effective_state_dir(buf_str(&text), &a->state_dir);
		a->had_access =
			caller_had_access(&a->caller, a->file, buf_str(&text));
	}
	a->back = a->asked->changes;
	if (a->back == NULL) {
		a->back = &a->since_served;
		a->has_copy = config_served_compare(a->file,
			runs ? buf_str(&text) : NULL, &a->since_served);
	}
	buf_free(&text);
	buf_free(&why);
}

/*
 * True if bridled accepts the files, and the caller keeps access. With `force`,
 * or if the caller had no access before, it is enough that bridled accepts the
 * files.
 */
static bool
check_access(struct apply *a)
{
	const char *args[] = { "--check", a->file, "--access",
		buf_str(&a->caller.name), a->managed ? "--passed" : NULL,
		NULL };
	struct buf out = { 0 }, errors = { 0 };
	int status = run_bridled_with(a->file, args, &out, &errors);
	bool may_lose = a->asked->force || !a->had_access;
	bool good = status == 0 || (status == EX_NOPERM && may_lose);

	if (status != RUN_BRIDLED_FAILED && (!good || !a->asked->checked))
		write_out_buf(STDERR_FILENO, &errors);
	if (status == EX_NOPERM && !may_lose)
		message_print("this change would take away your access: allow "
			      "%s, or use --force",
			buf_str(&a->caller.name));
	if (status == EX_NOPERM)
		a->had_access = false;
	buf_free(&out);
	buf_free(&errors);
	return good;
}

/* True if bridled accepts the files as the user of the service. */
static bool
check_as_service(const struct apply *a)
{
	const char *args[] = { "--check", a->file, "--passed", NULL };
	struct buf out = { 0 }, errors = { 0 };
	int status = 0;

	if (a->managed && a->units.uid != 0 && geteuid() == 0)
		status = run_bridled_as(
			a->units.uid, a->units.gid, args, &out, &errors);
	if (status != 0) {
		write_out_buf(STDERR_FILENO, &errors);
		message_print("the service runs as user %s, and would not "
			      "accept %s",
			a->units.user, a->file);
	}
	buf_free(&out);
	buf_free(&errors);
	return status == 0;
}

enum step {
	STEP_DONE,
	STEP_NO_DAEMON, /* the files take effect at the next start */
	STEP_FAILED     /* a message was printed */
};

/* Restart the service, for example because a reload is not possible. */
static enum step
restart(void)
{
	struct buf problem = { 0 };
	int result = service_units_restart(&problem);

	if (result != 0)
		message_lines(NULL, buf_str(&problem));
	buf_free(&problem);
	return result == 0 ? STEP_DONE : STEP_FAILED;
}

/*
 * Reload the daemon that runs with the file. bridled prints the result, not
 * this function.
 */
static enum step
reload(struct apply *a)
{
	const char *dir = buf_str(&a->state_dir);
	const char *args[] = { "--reload", a->file,
		*dir != '\0' ? "--state-dir" : NULL, dir, NULL };
	struct buf errors = { 0 };
	int status = run_bridled(args, NULL, &errors);

	if (status == EX_UNAVAILABLE && a->managed) {
		buf_free(&errors);
		return restart();
	}
	if (status != RUN_BRIDLED_FAILED)
		write_out_buf(STDERR_FILENO, &errors);
	buf_free(&errors);
	if (status == EX_UNAVAILABLE)
		return STEP_NO_DAEMON;
	return status == 0 ? STEP_DONE : STEP_FAILED;
}

/* Open and close listeners, and let the daemon read the files. */
static enum step
put_into_effect(struct apply *a)
{
	struct buf problem = { 0 };
	enum step step = STEP_DONE;

	if (!a->managed)
		return reload(a);
	switch (service_units_apply(&a->units, &problem)) {
	case SERVICE_FAILED:
		message_lines(NULL, buf_str(&problem));
		a->changed = true;
		step = STEP_FAILED;
		break;
	case SERVICE_SAME:
		/*
		 * Do not start a stopped service. The service reads the files
		 * later, at the first request. After an undo, restart the
		 * service to close an address that only the daemon still holds.
		 */
		if (a->units.running)
			step = a->changed ? restart() : reload(a);
		break;
	case SERVICE_CHANGED:
		a->changed = true;
		break;
	}
	buf_free(&problem);
	return step;
}

/*
 * Send requests to prove that the daemon serves the configuration. If `admit`
 * is true, also prove that the caller has access.
 */
static bool
prove(struct apply *a, bool admit)
{
	struct listen_places places;
	struct buf problem = { 0 };
	bool good;

	/*
	 * Look at the units again. If the service has started since the last
	 * look, the socket for root is open now.
	 */
	if (a->managed)
		look_at_units(a);
	good = listen_places_read(&places, a->file, a->units.sockets) == 0;
	if (good && listen_places_prove(&places, a->file, &problem) != 0) {
		message_lines(NULL, buf_str(&problem));
		good = false;
	}
	if (good && admit && !listen_places_admit(&places, a->caller.uid)) {
		message_print("the daemon gives %s no access now: allow %s, or "
			      "use --force",
			a->caller.name.data, a->caller.name.data);
		good = false;
	}
	listen_places_free(&places);
	buf_free(&problem);
	return good;
}

/* Undo the changes. Return false if there is nothing to undo. */
static bool
undo(const struct apply *a)
{
	size_t i;

	if (a->back->n == 0 ||
		config_changes_undo(a->back, a->asked->keep_rejected) != 0)
		return false;
	for (i = 0; i < a->back->n; i++)
		message_print("%s is restored", a->back->v[i].path);
	return true;
}

/*
 * Restore the previous configuration, and serve the previous configuration
 * again. If the daemon has not read the new files, the requests only prove that
 * nothing has changed.
 */
static enum outcome
go_back(struct apply *a)
{
	if (!undo(a)) {
		message_print("%s is not applied, and cannot be restored, "
			      "because %s: correct the file, and run "
			      "'bridlectl config apply'",
			a->file,
			a->has_copy ? "the text is the same as before"
				    : "there is no copy of the file that the "
				      "daemon serves");
		return OUTCOME_NO;
	}
	if (a->managed)
		look_at_units(a);
	switch (put_into_effect(a)) {
	case STEP_NO_DAEMON:
		return OUTCOME_NO;
	case STEP_DONE:
		if (!prove(a, false))
			break;
		message_print("the previous configuration is served again");
		return OUTCOME_NO;
	case STEP_FAILED:
		break;
	}
	message_print("the previous configuration is not served: read the log "
		      "(journalctl -u bridled)");
	return OUTCOME_NO;
}

/*
 * Save the copy for the next call, and announce a new port or host key of this
 * machine.
 */
static enum outcome
finish(const struct apply *a)
{
	int result = config_served_save(a->file);

	message_print("%s is applied", a->file);
	if (is_default(a->file))
		result |= announce_refresh(a->file);
	return result == 0 ? OUTCOME_DONE : OUTCOME_NO;
}

static enum outcome
apply(struct apply *a)
{
	look_around(a);
	if (!check_access(a) || !check_as_service(a))
		return go_back(a);
	switch (put_into_effect(a)) {
	case STEP_NO_DAEMON:
		message_print(
			"the change takes effect at the next start of bridled "
			"(to reload a daemon that was not found: 'kill -HUP')");
		/*
		 * Save the copy now, because a later undo must not bring back
		 * revoked clients.
		 */
		return config_served_save(a->file) == 0 ? OUTCOME_DONE
							: OUTCOME_NO;
	case STEP_DONE:
		if (prove(a, a->had_access))
			return finish(a);
		break;
	case STEP_FAILED:
		break;
	}
	return go_back(a);
}

/* Return the path of the main file; NULL if no memory is available. */
static char *
find_main(const char *file)
{
	char *name = config_file_name(file);
	char *main = name != NULL ? config_file_main(name) : NULL;

	free(name);
	return main;
}

enum outcome
config_apply(const struct config_apply *asked)
{
	struct apply a = { .asked = asked, .lock = -1 };
	enum outcome outcome = OUTCOME_NO;

	if ((a.file = find_main(asked->file)) == NULL ||
		access(a.file, F_OK) != 0) {
		message_print("%s: %s", asked->file, strerror(errno));
		free(a.file);
		return OUTCOME_NO;
	}
	if (access(a.file, W_OK) != 0) {
		message_print("%s: %s (run this as root, for example with "
			      "sudo)",
			a.file, strerror(errno));
		free(a.file);
		return OUTCOME_NO;
	}
	if (asked->locked || (a.lock = config_lock(a.file)) != -1)
		outcome = apply(&a);
	service_units_free(&a.units);
	caller_free(&a.caller);
	config_changes_free(&a.since_served);
	buf_free(&a.state_dir);
	fd_close(&a.lock);
	free(a.file);
	return outcome;
}
