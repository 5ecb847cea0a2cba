#include "listener.h"

#include "fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
is_same(const struct listener *l, const struct settings_listen *s)
{
	if (l->unix_path != NULL || s->unix_path != NULL)
		return l->unix_path != NULL && s->unix_path != NULL &&
		       strcmp(l->unix_path, s->unix_path) == 0;
	return net_same(&l->addr, &s->addr);
}

static struct listener *
find(struct listeners *old, const struct settings_listen *s)
{
	size_t i;

	for (i = 0; old != NULL && i < old->n; i++)
		if (old->v[i].fd != -1 && is_same(&old->v[i], s))
			return &old->v[i];
	return NULL;
}

/* /run is empty after a boot: the last folder of the path may be missing. */
static void
make_folder(const char *path, uid_t owner)
{
	char *folder = strdup(path), *slash;

	if (folder != NULL && (slash = strrchr(folder, '/')) != NULL) {
		*slash = '\0';
		if (mkdir(folder, 0755) == 0 && owner != geteuid() &&
			lchown(folder, owner, (gid_t)-1) != 0)
			rmdir(folder);
	}
	free(folder);
}

static int
open_unix(struct listener *l, const struct settings_listen *s, uid_t owner)
{
	gid_t group = s->group != NULL ? s->gid : (gid_t)-1;
	struct stat st;

	if ((l->unix_path = strdup(s->unix_path)) == NULL)
		return -1;
	make_folder(s->unix_path, owner);
	l->fd = net_listen_unix(s->unix_path, s->mode, owner, group);
	if (l->fd == -1 || lstat(s->unix_path, &st) != 0)
		return -1;
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return 0;
}

static int
open_one(struct listener *l, const struct settings_listen *s, uid_t owner)
{
	l->fd = -1;
	if (s->unix_path != NULL)
		return open_unix(l, s, owner);
	l->addr = s->addr;
	l->fd = net_listen(&s->addr);
	return l->fd == -1 ? -1 : 0;
}

static void
close_one(struct listener *l)
{
	struct stat st;

	/* Another daemon may have put its own there since. */
	if (l->fd != -1 && l->unix_path != NULL && !l->passed &&
		lstat(l->unix_path, &st) == 0 && st.st_dev == l->dev &&
		st.st_ino == l->ino)
		unlink(l->unix_path);
	fd_close(&l->fd);
	free(l->unix_path);
	l->unix_path = NULL;
}

/* Whether we ourselves still hold the port, at another address. */
static bool
is_ours(const struct listeners *old, const struct settings_listen *s)
{
	size_t i;

	for (i = 0; old != NULL && s->unix_path == NULL && i < old->n; i++)
		if (old->v[i].unix_path == NULL &&
			old->v[i].addr.in.sin_port == s->addr.in.sin_port)
			return true;
	return false;
}

static void
explain(const struct settings_listen *s, const struct listeners *old,
	const char *file, int why, struct buf *errors)
{
	buf_addf(errors, "%s:%d: listen: ", file, s->line);
	if (s->unix_path != NULL)
		buf_adds(errors, s->unix_path);
	else
		net_format(&s->addr, errors);
	buf_addf(errors, ": %s", strerror(why));
	if (why == EADDRINUSE && is_ours(old, s))
		buf_adds(errors,
			" (this daemon serves at that port: a reload cannot "
			"move it to another address, a restart can)");
	else if (why == EADDRINUSE)
		buf_adds(errors, " (another daemon serves there)");
	else if (why == EEXIST)
		buf_adds(errors, " (and it is not a socket: remove it first)");
	else if (why == EPERM && s->group != NULL)
		buf_addf(errors, " (may this user give it to group %s?)",
			s->group);
	buf_addc(errors, '\n');
}

/* The mode and group of a passed one are its unit's. */
static void
compare_passed(const struct listener *l, const struct settings_listen *s,
	const char *file, struct buf *errors)
{
	struct stat st;

	if (lstat(l->unix_path, &st) != 0)
		return;
	if ((st.st_mode & 0777) == s->mode &&
		(s->group == NULL || st.st_gid == s->gid))
		return;
	buf_addf(errors,
		"%s:%d: listen: %s was passed with mode %04o and group %u, "
		"which stay: its socket unit says so (SocketMode=, "
		"SocketGroup=)\n",
		file, s->line, l->unix_path, (unsigned)st.st_mode & 0777,
		st.st_gid);
}

/* What is kept may have a new mode, group or rule. */
static void
take_over(struct listener *l, struct listener *from,
	const struct settings_listen *s, const char *file, struct buf *errors)
{
	gid_t group = s->group != NULL ? s->gid : (gid_t)-1;

	*l = *from;
	from->fd = -1;
	from->unix_path = NULL;
	if (l->unix_path != NULL && l->passed)
		compare_passed(l, s, file, errors);
	else if (l->unix_path != NULL &&
		 net_own_unix(l->unix_path, s->mode, (uid_t)-1, group) != 0)
		buf_addf(errors,
			"%s:%d: listen: %s keeps its mode and group: %s\n",
			file, s->line, l->unix_path, strerror(errno));
}

static bool
is_listed(const struct listener *l, const struct settings *s)
{
	size_t i;

	for (i = 0; i < s->nlisten; i++)
		if (is_same(l, &s->listen[i]))
			return true;
	return false;
}

static void
add_place(const struct listener *l, struct buf *out)
{
	if (l->unix_path != NULL)
		buf_adds(out, l->unix_path);
	else
		net_format(&l->addr, out);
}

/* Nobody would serve it, and its clients would wait for ever. */
static void
tell_unlisted(const struct listeners *old, const struct settings *s,
	struct buf *errors)
{
	size_t i;

	for (i = 0; i < old->n; i++) {
		if (!old->v[i].passed || is_listed(&old->v[i], s))
			continue;
		buf_addf(errors, "%s: listen: ", s->path);
		add_place(&old->v[i], errors);
		buf_adds(errors,
			" was passed by a socket unit, and is not listed: list "
			"it, or take it out of the unit (systemctl edit "
			"bridled.socket) and restart that\n");
	}
}

/* Beside passed sockets, one of our own may be in a network without a way in */
static void
tell_unpassed(
	struct listeners *old, const struct settings *s, struct buf *errors)
{
	bool passed = false;
	size_t i;

	for (i = 0; i < old->n; i++)
		passed |= old->v[i].passed;
	for (i = 0; passed && i < s->nlisten; i++) {
		if (s->listen[i].unix_path != NULL ||
			find(old, &s->listen[i]) != NULL)
			continue;
		buf_addf(errors, "%s:%d: listen: ", s->path, s->listen[i].line);
		net_format(&s->listen[i].addr, errors);
		buf_adds(errors, " was not passed beside the others: add "
				 "\"ListenStream=");
		net_format(&s->listen[i].addr, errors);
		buf_adds(errors,
			"\" (systemctl edit bridled.socket), and restart "
			"bridled.socket\n");
	}
}

static bool
passed_fit(struct listeners *old, const struct settings *s, struct buf *errors)
{
	size_t before = errors->len;

	tell_unlisted(old, s, errors);
	tell_unpassed(old, s, errors);
	return errors->len == before && !errors->failed;
}

int
listeners_open(struct listeners *out, struct listeners *old,
	const struct settings *s, uid_t owner, struct buf *errors)
{
	struct listener *from;
	size_t i;

	out->n = 0;
	out->v = calloc(s->nlisten ? s->nlisten : 1, sizeof(*out->v));
	if (out->v == NULL)
		return -1;
	if (old != NULL && !passed_fit(old, s, errors)) {
		listeners_close(out);
		return -1;
	}
	/* First all that may fail, then what is taken over. */
	for (i = 0; i < s->nlisten; i++, out->n++) {
		out->v[i].tls = s->listen[i].tls;
		out->v[i].insecure = s->listen[i].insecure;
		out->v[i].fd = -1;
		if (find(old, &s->listen[i]) != NULL)
			continue;
		if (open_one(&out->v[i], &s->listen[i], owner) != 0) {
			explain(&s->listen[i], old, s->path, errno, errors);
			out->n++;
			listeners_close(out);
			return -1;
		}
	}
	for (i = 0; i < s->nlisten; i++) {
		if (out->v[i].fd != -1)
			continue;
		from = find(old, &s->listen[i]);
		take_over(&out->v[i], from, &s->listen[i], s->path, errors);
		out->v[i].tls = s->listen[i].tls;
		out->v[i].insecure = s->listen[i].insecure;
	}
	if (old != NULL)
		listeners_close(old);
	return 0;
}

void
listeners_close(struct listeners *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		close_one(&l->v[i]);
	free(l->v);
	l->v = NULL;
	l->n = 0;
}
