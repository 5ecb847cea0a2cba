/*
 * Applies a changed configuration to the daemon of this machine, and proves
 * that the daemon serves the new configuration. If the proof fails, the
 * previous configuration is restored and served again.
 */
#ifndef BRIDLE_CONFIG_APPLY_H
#define BRIDLE_CONFIG_APPLY_H

#include "cli/exit_status.h"
#include "config/config_changes.h"

#include <stdbool.h>

/* The file that bridled reads without --config. */
#define CONFIG_DEFAULT_FILE SYSCONFDIR "/bridle/bridled.conf"

struct config_apply {
	/* path of the main file; the files of conf.d belong to it */
	const char *file;
	/*
	 * The changes to undo if the daemon does not serve the new files. NULL
	 * if another program or a user has changed the files. Then an undo
	 * restores the configuration that was last applied with success.
	 */
	const struct config_changes *changes;
	/*
	 * state_dir of the daemon before the change, or NULL. Set this member
	 * if the change can replace state_dir.
	 */
	const char *state_dir;
	/* Accept a configuration that takes away the caller's access. */
	bool force;
	/* Save the texts of undone changes as PATH.rejected. */
	bool keep_rejected;
	/* The caller has already shown the warnings of the check. */
	bool checked;
	/* True if the caller holds the lock of config_lock(). */
	bool locked;
};

/*
 * Apply the files as they are now. The caller has already made the changes, for
 * example by config_changes_write(). The steps are:
 *
 * 1. Check that the service could start with the files. If the files are wrong,
 *    or the caller would lose access, undo the changes.
 * 2. Open and close listeners, and reload or restart the daemon.
 * 3. Send a request over each listener, and a request of the caller. If a
 *    listener does not answer, undo the changes and do steps 2 and 3 again.
 *
 * With sudo, the caller is the user who has called sudo. Print the result of
 * each step. Return OUTCOME_DONE if the daemon serves the files, or if no
 * daemon runs and the files are correct. Otherwise undo `changes`, and return
 * another outcome.
 *
 * If two programs on this machine call the function, the second call waits
 * until the first call has ended. A caller with `changes` takes the lock of
 * config_lock() before the first change. Otherwise an undo could remove the
 * change of another program.
 *
 * The function can run for up to a minute. The caller must ignore SIGINT before
 * the call, so that ^C cannot leave a half-applied configuration.
 */
enum outcome config_apply(const struct config_apply *);

#endif
