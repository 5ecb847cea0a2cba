#include "users.h"

#include "text.h"

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
#define WAIT_SECONDS 1 /* for a name service */

/* Most are here, and nothing but the file has to be asked. */
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
		/* "+" and "-" stand for the name service: nsswitch.conf(5). */
		found = pw->pw_uid == uid && strchr("+-", *pw->pw_name) == NULL;
	if (found)
		snprintf(name, USERS_NAME_MAX, "%s", pw->pw_name);
	fclose(f);
	return found;
}

/* One question to it. */
struct lookup {
	uid_t uid;
	char name[USERS_NAME_MAX];
	sem_t answered;
};

static void *
look_up(void *arg)
{
	struct lookup *l = arg;
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
wait_for_answer(struct lookup *l)
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
 * In a thread, since a name service may hang for as long as its network
 * does, and a kill must not hang with it. False if it does.
 */
static bool
ask(uid_t uid, char *name)
{
	struct lookup *l = calloc(1, sizeof(*l));
	pthread_t thread;

	if (l == NULL)
		return false;
	l->uid = uid;
	sem_init(&l->answered, 0, 0);
	if (pthread_create(&thread, NULL, look_up, l) == 0)
		pthread_detach(thread);
	else
		look_up(l); /* no room for a thread: then as it comes */
	if (!wait_for_answer(l))
		return false; /* l is the thread's, which may go on yet */
	memcpy(name, l->name, sizeof(l->name));
	sem_destroy(&l->answered);
	free(l);
	return true;
}

static struct user *
add(struct users *users, uid_t uid)
{
	struct user **more, *u;

	more = reallocarray(users->v, users->n + 1, sizeof(struct user *));
	if (more == NULL)
		return NULL;
	users->v = more;
	if ((u = malloc(sizeof(*u))) == NULL)
		return NULL;
	u->uid = uid;
	if (!find_local(uid, u->name) &&
		(users->silent || !ask(uid, u->name))) {
		users->silent = true;
		snprintf(u->name, sizeof(u->name), "%u", uid);
	}
	users->v[users->n++] = u;
	return u;
}

const char *
users_name(struct users *users, uid_t uid)
{
	struct user *u;
	size_t i;

	for (i = 0; i < users->n; i++)
		if (users->v[i]->uid == uid)
			return users->v[i]->name;
	return (u = add(users, uid)) != NULL ? u->name : "?";
}

int
users_uid(const char *name, uid_t *uid)
{
	struct passwd *pw = getpwnam(name);
	long v;

	if (pw != NULL)
		*uid = pw->pw_uid;
	else if (text_number(name, 0, UINT_MAX - 1L, &v) == 0)
		*uid = (uid_t)v;
	else
		return -1;
	return 0;
}

void
users_free(struct users *users)
{
	while (users->n > 0)
		free(users->v[--users->n]);
	free(users->v);
	users->v = NULL;
}
