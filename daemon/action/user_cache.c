#include "action/user_cache.h"

#include "sys/account.h"
#include "text.h"
#include "wire.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <pwd.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOCAL_USERS "/etc/passwd"
#define ENTRY_MAX 4096
#define WAIT_SECONDS 1 /* time limit for a reply of the name service */

/*
 * Copy the name of a user from /etc/passwd, without the name service. Return
 * false if the file does not have the user.
 */
static bool
find_local(uid_t uid, char *name)
{
	FILE *f = fopen(LOCAL_USERS, "re");
	struct passwd entry, *pw = NULL;
	char text[ENTRY_MAX];
	bool found = false;

	if (f == NULL)
		return false;
	while (!found && fgetpwent_r(f, &entry, text, sizeof(text), &pw) == 0)
		/*
		 * Skip a name that begins with "+" or "-", which refers to the
		 * name service (see nsswitch.conf(5)).
		 */
		found = pw->pw_uid == uid && strchr("+-", *pw->pw_name) == NULL;
	if (found)
		snprintf(name, USER_CACHE_NAME_MAX, "%s", pw->pw_name);
	fclose(f);
	return found;
}

/*
 * A look-up of a user in the name service. A thread sets `name` and posts
 * `answered`.
 */
struct group_lookup {
	uid_t uid;
	char name[USER_CACHE_NAME_MAX];
	sem_t answered;
};

static void *
look_up(void *arg)
{
	struct group_lookup *l = arg;
	struct passwd entry, *pw = NULL;
	char text[ENTRY_MAX];

	if (getpwuid_r(l->uid, &entry, text, sizeof(text), &pw) == 0 &&
		pw != NULL)
		snprintf(l->name, sizeof(l->name), "%s", pw->pw_name);
	else
		snprintf(l->name, sizeof(l->name), "%u", l->uid);
	sem_post(&l->answered);
	return NULL;
}

static bool
wait_for_answer(struct group_lookup *l)
{
	struct timespec until;
	int result;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += WAIT_SECONDS;
	do
		result = sem_clockwait(&l->answered, CLOCK_MONOTONIC, &until);
	while (result != 0 && errno == EINTR);
	return result == 0;
}

/*
 * Look up the name of a user in a thread, because the name service may hang.
 * Return false if there is no reply within WAIT_SECONDS, or memory has run out.
 */
static bool
ask(uid_t uid, char *name)
{
	struct group_lookup *l = calloc(1, sizeof(*l));
	pthread_t thread;

	if (l == NULL)
		return false;
	l->uid = uid;
	sem_init(&l->answered, 0, 0);
	if (pthread_create(&thread, NULL, look_up, l) == 0)
		pthread_detach(thread);
	else
		/* without a thread, the look-up has no time limit */
		look_up(l);
	if (!wait_for_answer(l))
		return false; /* do not free `l`, which the thread still uses */
	memcpy(name, l->name, sizeof(l->name));
	sem_destroy(&l->answered);
	free(l);
	return true;
}

static struct user *
add(struct user_cache *user_cache, uid_t uid)
{
	struct user **more, *u;

	more = reallocarray(
		user_cache->v, user_cache->n + 1, sizeof(struct user *));
	if (more == NULL)
		return NULL;
	user_cache->v = more;
	if ((u = malloc(sizeof(*u))) == NULL)
		return NULL;
	u->uid = uid;
	if (!find_local(uid, u->name) &&
		(user_cache->silent || !ask(uid, u->name))) {
		user_cache->silent = true;
		snprintf(u->name, sizeof(u->name), "%u", uid);
	}
	user_cache->v[user_cache->n++] = u;
	return u;
}

const char *
user_cache_name(struct user_cache *user_cache, uid_t uid)
{
	struct user *u;
	size_t i;

	for (i = 0; i < user_cache->n; i++)
		if (user_cache->v[i]->uid == uid)
			return user_cache->v[i]->name;
	return (u = add(user_cache, uid)) != NULL ? u->name : "?";
}

int
user_cache_uid(const char *name, uid_t *uid)
{
	struct account account;
	long v;

	if (text_number(name, 0, UINT_MAX - 1L, &v) == 0) {
		*uid = (uid_t)v;
		return 0;
	}
	if ((errno = account_by_name(name, &account)) != 0)
		return -1;
	*uid = account.uid;
	return 0;
}

int
user_cache_unknown(const char *name, int why, char *text, size_t size)
{
	if (why == ESRCH) {
		snprintf(text, size, "user \"%s\" is unknown on this machine",
			name);
		return CODE_NO_MATCH;
	}
	snprintf(text, size,
		"the user \"%s\" cannot be looked up now: %s (try again when "
		"the name service answers)",
		name, strerror(why));
	return CODE_FAILED;
}

void
user_cache_free(struct user_cache *user_cache)
{
	while (user_cache->n > 0)
		free(user_cache->v[--user_cache->n]);
	free(user_cache->v);
	user_cache->v = NULL;
}
