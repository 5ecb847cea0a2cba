/*
 * What the fork server gives up, and with it each session that it forks.
 */
#ifndef BRIDLE_CONFINE_H
#define BRIDLE_CONFINE_H

/*
 * At the start: cannot be traced or dumped, hears no signals but those that
 * nobody can ignore.
 */
int confine_begin(void);

/*
 * Once all is set up: no files, no capabilities, no descriptors but those of
 * fork_server.h, no system calls but those of filter.h, no life after the
 * daemon's. -1 with errno, and *what could not be done, constant text.
 */
int confine_server(const char **what);

/*
 * In a session just forked: nor can it fork. Ends the process if that fails.
 */
void confine_session(void);

#endif
