#include "users.h"

#include "text.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct user *
add(struct users *users, uid_t uid)
{
	struct user **more, *u;
	struct passwd entry, *pw = NULL;
	char text[4096];

	more = reallocarray(users->v, users->n + 1, sizeof(struct user *));
	if (more == NULL)
		return NULL;
	users->v = more;
	if ((u = malloc(sizeof(*u))) == NULL)
		return NULL;
	u->uid = uid;
	/* The reentrant one: list reads in two threads. */
	if (getpwuid_r(uid, &entry, text, sizeof(text), &pw) == 0 && pw != NULL)
		snprintf(u->name, sizeof(u->name), "%s", pw->pw_name);
	else
		snprintf(u->name, sizeof(u->name), "%u", uid);
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
