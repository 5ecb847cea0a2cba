/*
 * Names of users, remembered for as long as an action lives.
 */
#ifndef BRIDLE_USERS_H
#define BRIDLE_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define USERS_NAME_MAX 256

struct user {
	uid_t uid;
	char name[USERS_NAME_MAX];
};

/* A zeroed struct is empty; users_free() makes it that again. */
struct users {
	bool silent; /* the name service did not answer: it is left alone */
	size_t n;
	struct user **v; /* a name that was given out stays where it is */
};

/*
 * The name of a user, or the number in decimal: also where the name service
 * does not answer within a second. Lives as long as the struct.
 */
const char *users_name(struct users *, uid_t);

/* The uid of a name, or of a decimal number; -1 if there is none. */
int users_uid(const char *name, uid_t *uid);

/* Frees all names that were given out. */
void users_free(struct users *);

#endif
