/*
 * The lock that a program holds while the program changes files of a
 * configuration. The program keeps the lock until the daemon serves the files
 * or the change is undone.
 */
#ifndef BRIDLE_CONFIG_LOCK_H
#define BRIDLE_CONFIG_LOCK_H

/*
 * Wait until no other program holds the lock of the configuration with this
 * main file, and take the lock. The lock file is MAIN.lock beside the main file
 * `main`, after symbolic links are resolved. If this function creates the lock
 * file, only the owner of the main file can open the lock file. Therefore no
 * other user can hold the lock.
 *
 * Return a descriptor, which holds the lock until the caller closes the
 * descriptor. After printing a message, return -1.
 */
int config_lock(const char *main);

#endif
