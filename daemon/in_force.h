/*
 * What is in force, written down for whoever asks: the settings, as
 * settings_print() has them, in state_dir. Who holds the lock beside them is
 * the daemon that they are of. It needs no right to talk to the daemon, and
 * a daemon that was killed leaves no doubt behind.
 */
#ifndef BRIDLE_IN_FORCE_H
#define BRIDLE_IN_FORCE_H

#include "audit.h"
#include "settings.h"

#include <time.h>

/* In state_dir. The lock is one of fcntl(2), and stays there unlocked. */
#define IN_FORCE_FILE "settings"
#define IN_FORCE_LOCK "settings.lock"

/* Lines at its head, before the first empty one. */
#define IN_FORCE_CONFIG "# configuration: " /* its path, by text_safe() */
#define IN_FORCE_DIR "# state_dir: "        /* this one */
#define IN_FORCE_RELOADS "# reloads: "      /* good and bad ones so far */
#define IN_FORCE_LAST "# last reload: "     /* IN_FORCE_FAILED, or other */
#define IN_FORCE_FAILED "failed"
#define IN_FORCE_REMARK "#   " /* a line of what was wrong with it */

/* Zeroed, with lock = -1: nothing is written down yet. */
struct in_force {
	int lock;
	char *dir;
	unsigned reloads;
	time_t since;
};

/*
 * Once signals are handled: takes the lock and writes. What keeps it from
 * doing so is logged, and keeps the daemon from nothing.
 */
void in_force_begin(struct in_force *, const struct settings *, struct audit *);

/*
 * After a reload, with the settings that are in force now: those of before
 * if it was not `taken`. `remarks` are lines about it.
 */
void in_force_reloaded(struct in_force *, const struct settings *, bool taken,
	const char *remarks, struct audit *);

/* Removes the file and gives up the lock. May be done twice. */
void in_force_end(struct in_force *);

#endif
