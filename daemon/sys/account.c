#include "sys/account.h"

#include "sys/nsswitch.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#define GROUPS_MAX 1024 /* maximum number of groups of one user */
#define ENTRY_MIN 4096
/* maximum size of an entry in bytes; a group may have many members */
#define ENTRY_MAX (16 * 1024 * 1024)

/* One look-up: the name or uid to search for, and the entry that was found. */
struct query {
	const char *name; /* name to search for; NULL to search for `uid` */
	uid_t uid;
	int (*ask)(struct query *, char *, size_t);
	struct passwd pw;
	struct group gr;
	void *found;
};

static int
ask_user(struct query *q, char *text, size_t size)
{
	struct passwd *pw = NULL;
	int error = q->name != NULL
			    ? getpwnam_r(q->name, &q->pw, text, size, &pw)
			    : getpwuid_r(q->uid, &q->pw, text, size, &pw);

	q->found = pw;
	return error;
}

static int
ask_group(struct query *q, char *text, size_t size)
{
	struct group *gr = NULL;
	int error = getgrnam_r(q->name, &q->gr, text, size, &gr);

	q->found = gr;
	return error;
}

/*
 * Call q->ask with larger and larger buffers until the entry fits. Return 0 or
 * an errno value; set q->found to NULL if there is no such entry. q->ask calls
 * functions such as getpwnam_r(3), because getpwnam(3) does not reliably
 * distinguish an unknown name from an error.
 */
static int
look_up_once(void *query)
{
	struct query *q = query;
	char *text = NULL, *larger;
	size_t size = ENTRY_MIN;
	int error;

	do {
		size *= 2;
		if ((larger = realloc(text, size)) == NULL) {
			free(text);
			return ENOMEM;
		}
		text = larger;
		error = q->ask(q, text, size);
	} while (error == ERANGE && size < ENTRY_MAX);
	free(text);
	return error;
}

/*
 * Like look_up_once(), but return EAGAIN if the entry exists, because another
 * program has added the entry since the first look-up.
 */
static int
look_up_again(void *query)
{
	struct query *q = query;
	int error = look_up_once(q);

	return q->found != NULL ? EAGAIN : error;
}

/*
 * Look up an entry. Return 0, ESRCH if no name service has the entry, or
 * another errno value if a name service failed.
 */
static int
look_up(struct query *q, const char *database)
{
	int error = look_up_once(q);

	if (error != 0 || q->found != NULL)
		return error;
	error = nsswitch_first_error(database, look_up_again, q);
	return error != 0 ? error : ESRCH;
}

static int
find_user(struct query *q, struct account *account)
{
	int error = look_up(q, "passwd");

	if (error == 0)
		*account = (struct account){ q->pw.pw_uid, q->pw.pw_gid };
	return error;
}

int
account_by_name(const char *user, struct account *account)
{
	return find_user(
		&(struct query){ .name = user, .ask = ask_user }, account);
}

int
account_by_uid(uid_t uid, struct account *account)
{
	return find_user(
		&(struct query){ .uid = uid, .ask = ask_user }, account);
}

bool
account_in_group(uid_t uid, gid_t gid)
{
	const struct passwd *pw = getpwuid(uid);
	gid_t groups[GROUPS_MAX];
	int n = GROUPS_MAX, i;

	if (pw == NULL || getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) < 0)
		return false;
	for (i = 0; i < n; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

int
account_group(const char *group, gid_t *gid)
{
	struct query q = { .name = group, .ask = ask_group };
	int error = look_up(&q, "group");

	if (error == 0)
		*gid = q.gr.gr_gid;
	return error;
}
