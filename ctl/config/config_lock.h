/*
 * The lock that a program holds while it changes files of a configuration, and
 * until the daemon serves the files or the change is undone.
 */
#ifndef BRIDLE_CONFIG_LOCK_H
#define BRIDLE_CONFIG_LOCK_H

/*
 * Wait until no other program holds the lock of the configuration with this
 * main file, and take the lock. The lock is the file MAIN.lock beside the main
 * file, with symbolic links resolved. If this function creates the file, only
 * the owner of the main file may open it. So no other user can hold the lock.
 *
 * Return a descriptor, which holds the lock until its close. After printing a
 * message, return -1.
 */
int config_lock(const char *main);

#endif
