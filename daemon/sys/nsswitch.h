/*
 * The name services in nsswitch.conf(5), such as files, systemd and sss.
 */
#ifndef BRIDLE_NSSWITCH_H
#define BRIDLE_NSSWITCH_H

/*
 * Call query(arg) once for each service of the database "passwd" or "group",
 * while glibc uses only this service. Stop when query() returns an errno value,
 * and return this value. Return 0 if no service has failed.
 *
 * With several services, functions such as getpwnam_r(3) report only the result
 * of the last service. Such a function can therefore report an unknown name
 * although an earlier service has failed. A service that is not installed does
 * not count as failed.
 */
int nsswitch_first_error(const char *database, int (*query)(void *), void *arg);

#endif
