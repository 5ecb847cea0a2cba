/*
 * Look-ups of users and groups of this machine in the name service (NSS). A
 * function may block until the name service answers.
 */
#ifndef BRIDLE_ACCOUNT_H
#define BRIDLE_ACCOUNT_H

#include <stdbool.h>
#include <sys/types.h>

struct account {
	uid_t uid;
	gid_t gid; /* the user's primary group */
};

/*
 * Look up a user or a group, and store the ids. Return 0, ESRCH if the user or
 * group does not exist, or another errno value if the name service failed.
 * After a failure of the name service, a later call may succeed.
 */
int account_by_name(const char *user, struct account *);
int account_by_uid(uid_t, struct account *);
int account_group(const char *group, gid_t *);

/*
 * True if the user is in the group. The result is also false if the name
 * service failed.
 */
bool account_in_group(uid_t, gid_t);

#endif
