/*
 * A cache of user names that an action uses until it ends.
 */
#ifndef BRIDLE_USER_CACHE_H
#define BRIDLE_USER_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define USER_CACHE_NAME_MAX 256

struct user {
	uid_t uid;
	char name[USER_CACHE_NAME_MAX];
};

/*
 * The users whose names are known. Zero the struct before the first use.
 * user_cache_free() empties the cache.
 */
struct user_cache {
	/* the name service did not answer in time, and is not used again */
	bool silent;
	size_t n;
	/* array of pointers, so that returned names never move */
	struct user **v;
};

/*
 * Return the name of a user. If the name service does not know the user or does
 * not reply within a second, return the decimal uid. Return "?" if memory has
 * run out. The name is valid until user_cache_free().
 */
const char *user_cache_name(struct user_cache *, uid_t);

/*
 * Find the uid of a user name. A decimal number is the uid itself, and is not
 * looked up. Return 0, or -1 with errno: ESRCH if the user does not exist.
 */
int user_cache_uid(const char *name, uid_t *uid);

/*
 * Write the status text for a user name after user_cache_uid() has failed.
 * `why` is the errno of that call. Return the status code: CODE_NO_MATCH if the
 * user does not exist, or CODE_FAILED if the name service failed.
 */
int user_cache_unknown(const char *name, int why, char *text, size_t size);

/* Free all names, and empty the cache. */
void user_cache_free(struct user_cache *);

#endif
