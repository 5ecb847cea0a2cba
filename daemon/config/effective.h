/*
 * The settings file in state_dir. The daemon writes its effective settings to
 * this file, and other processes read the settings there. A lock on a second
 * file shows which daemon has written the settings, and that this daemon still
 * runs. A reader needs no access to the daemon's sockets.
 */
#ifndef BRIDLE_EFFECTIVE_H
#define BRIDLE_EFFECTIVE_H

#include "config/settings.h"
#include "sys/logger.h"

#include <stdint.h>
#include <time.h>

/*
 * The daemon's data about its settings file. Initially, all members are zero
 * except lock = -1.
 */
struct effective {
	int lock;
	char *dir;
	int64_t began; /* clock_ms() at the start of the last reload, or 0 */
	time_t since;
};

/*
 * Take the lock, and write that the daemon refuses all clients because of these
 * errors in the file `config`. effective_reload() can then find the daemon,
 * even if the file `config` is missing or wrong. Before the call, the daemon
 * must handle SIGHUP, because effective_reload() sends SIGHUP. On failure, only
 * print a message. Call effective_end() before effective_begin().
 */
void effective_refuse(
	struct effective *, const char *config, const char *errors);

/*
 * Take the lock, and write the settings. Before the call, the daemon must
 * handle SIGHUP, because a process that reads the settings may send SIGHUP. A
 * failure is only logged.
 */
void effective_begin(
	struct effective *, const struct settings *, struct logger *);

/*
 * Write the settings after a reload that began at the time `began` of
 * clock_ms(). If `taken` is false, the reload has failed, and the settings are
 * the previous settings. `remarks` has one line for each error of the reload.
 */
void effective_reloaded(struct effective *, const struct settings *,
	int64_t began, bool taken, const char *remarks, struct logger *);

/*
 * Remove the settings file, and release the lock. A second call does nothing.
 */
void effective_end(struct effective *);

/*
 * effective_show() and effective_reload() find the daemon that was started with
 * the configuration file `path`. They search the state_dir that this file sets,
 * even if the rest of the file is wrong. They also search the folder
 * `state_dir`, if it is not NULL. They print to stdout and stderr, and return
 * an exit status. EX_UNAVAILABLE means that no such daemon was found. EX_NOPERM
 * means that this process is not allowed to read the files.
 */

/* Print the effective settings of the daemon. Return 0 on success. */
int effective_show(const char *path, const char *state_dir);

/*
 * Make the daemon reload, and wait for the result. A daemon that refuses all
 * clients reads its file again. Return 0 if the daemon serves the new
 * settings. Return EX_CONFIG if the daemon keeps the previous
 * settings, or EX_TEMPFAIL if the result is unknown.
 */
int effective_reload(const char *path, const char *state_dir);

#endif
