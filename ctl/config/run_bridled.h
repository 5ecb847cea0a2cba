/*
 * Runs the program bridled on this machine. bridlectl leaves the interpretation
 * of the configuration file to bridled.
 */
#ifndef BRIDLE_RUN_BRIDLED_H
#define BRIDLE_RUN_BRIDLED_H

#include "buf.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * The value instead of an exit status if bridled could not be run. A message
 * was printed.
 */
#define RUN_BRIDLED_FAILED (-1)

/*
 * Replace this program by bridled with these arguments. The array `args` ends
 * with NULL. A bridled that was installed or built with this program is
 * preferred. After an error, print a message and return.
 */
void run_bridled_exec(const char *const *args);

/*
 * Run bridled, and wait until bridled ends. Append the standard output of
 * bridled to `out` and the standard error to `err`. If a buffer is NULL,
 * bridled inherits the stream from this program. Return the exit status of
 * bridled, or RUN_BRIDLED_FAILED.
 */
int run_bridled(const char *const *args, struct buf *out, struct buf *err);

/*
 * Like run_bridled(), but run bridled as another user, without supplementary
 * groups. Only root can do this.
 */
int run_bridled_as(uid_t, gid_t, const char *const *args, struct buf *out,
	struct buf *err);

/*
 * Like run_bridled(), for an option that reads the configuration `file`. If
 * root calls this function, and another user owns the file, run bridled as this
 * owner. Only a daemon that runs as this owner accepts the file.
 */
int run_bridled_with(const char *file, const char *const *args, struct buf *out,
	struct buf *err);

/*
 * Find the daemon that runs with this file. If `state_dir` is not NULL, also
 * look for the daemon in this folder. Append the daemon's effective settings to
 * `text`, and return true. If there is no such daemon, or bridled cannot find
 * the daemon, return false with the reason in `why`.
 */
bool config_effective(const char *file, const char *state_dir, struct buf *text,
	struct buf *why);

/*
 * Return the start of the settings in a text of config_effective(), after the
 * comments at the top.
 */
const char *config_effective_settings(const char *text);

/*
 * Append the daemon's state_dir to `dir`. If the comments at the top of `text`
 * do not have the state_dir, append nothing.
 */
void config_effective_state_dir(const char *text, struct buf *dir);

#endif
