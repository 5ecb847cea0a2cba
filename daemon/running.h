/*
 * The daemon that runs, from outside: what another bridled on this machine
 * says of itself in in_force.h's files.
 */
#ifndef BRIDLE_RUNNING_H
#define BRIDLE_RUNNING_H

/*
 * Each looks for the daemon that was started with the configuration at
 * `path`, in the state_dir that the file names, also if all else in it is
 * wrong, and in `state_dir` if that is not NULL. They tell what there is to
 * be told, and return an exit status: EX_UNAVAILABLE if no such daemon is
 * known to run, EX_NOPERM if we may not look.
 */

/* Prints what is in force. */
int running_show(const char *path, const char *state_dir);

/*
 * Has the daemon read its configuration again, and waits until it has. 0 if
 * that is in force now, EX_CONFIG if it stays with what was before, with the
 * reasons on stderr, EX_TEMPFAIL if it does not say.
 */
int running_reload(const char *path, const char *state_dir);

#endif
