#include "net/listener.h"

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
find(const struct listeners *old, const struct settings_listen *s)
{
	size_t i;

	for (i = 0; old != NULL && i < old->n; i++)
		if (old->v[i].fd != -1 && is_same(&old->v[i], s))
			return &old->v[i];
	return NULL;
}

/*
 * Create the folder of the socket file, because a folder in /run is missing
 * after a boot. The folder belongs to `owner`.
 */
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
	/* A socket for root belongs to the user who starts the daemon. */
	l->fd = net_listen_unix(
		s->unix_path, s->mode, s->root ? geteuid() : owner, group);
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

	/*
	 * Remove the socket file, unless another daemon has replaced it by its
	 * own socket file.
	 */
	if (l->fd != -1 && l->unix_path != NULL && !l->passed &&
		lstat(l->unix_path, &st) == 0 && st.st_dev == l->dev &&
		st.st_ino == l->ino)
		unlink(l->unix_path);
	fd_close(&l->fd);
	free(l->unix_path);
	l->unix_path = NULL;
}

/*
 * True if a listener of this daemon already has this port, at another address.
 */
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
add_place(const char *unix_path, const struct net_addr *addr, struct buf *out)
{
	if (unix_path != NULL)
		buf_adds(out, unix_path);
	else
		net_format(addr, out);
}

static void
explain(const struct settings_listen *s, const struct listeners *old, int why,
	struct buf *errors)
{
	buf_addf(errors, "%s:%d: listen: ", s->file, s->line);
	add_place(s->unix_path, &s->addr, errors);
	buf_addf(errors, ": %s", strerror(why));
	if (why == EADDRINUSE && is_ours(old, s))
		buf_adds(errors,
			" (this daemon uses the port at another address: a "
			"reload cannot move a port, so restart the daemon)");
	else if (why == EADDRINUSE && s->unix_path != NULL)
		buf_adds(errors,
			" (another daemon serves there: stop that daemon, or "
			"choose another path)");
	else if (why == EADDRINUSE)
		buf_adds(errors,
			" (another program uses this port: find it with "
			"'ss -ltnp' and stop it, or choose another port)");
	else if (why == EEXIST)
		buf_adds(errors,
			" (this file is not a socket: remove it first)");
	else if (why == EPERM && s->group != NULL)
		buf_addf(errors,
			" (only root or a member of group %s may set this "
			"group)",
			s->group);
	buf_addc(errors, '\n');
}

/* True if the socket file has the mode and group of the settings. */
static bool
has_mode(const struct stat *st, const struct settings_listen *s)
{
	return (st->st_mode & 0777) == s->mode &&
	       (s->group == NULL || st->st_gid == s->gid);
}

/*
 * Append a warning if the mode or group of a passed socket file differs from
 * the settings.
 */
static void
compare_passed(const struct listener *l, const struct settings_listen *s,
	struct buf *errors)
{
	struct stat st;

	if (lstat(l->unix_path, &st) != 0 || has_mode(&st, s))
		return;
	buf_addf(errors, "%s:%d: listen: %s is listed with mode %04o", s->file,
		s->line, l->unix_path, (unsigned)s->mode);
	if (s->group != NULL)
		buf_addf(errors, " and group %u", s->gid);
	buf_addf(errors,
		", but was passed with mode %04o and group %u, which are "
		"used: write these values into this line, or set SocketMode= "
		"and SocketGroup= in the socket unit\n",
		(unsigned)st.st_mode & 0777, st.st_gid);
}

/*
 * Move the socket from the old listener `from` to `l`. Give the socket file the
 * mode and group of the new settings.
 */
static void
take_over(struct listener *l, struct listener *from,
	const struct settings_listen *s, struct buf *errors)
{
	gid_t group = s->group != NULL ? s->gid : (gid_t)-1;
	struct stat st;

	*l = *from;
	from->fd = -1;
	from->unix_path = NULL;
	if (l->unix_path != NULL && l->passed)
		compare_passed(l, s, errors);
	else if (l->unix_path != NULL &&
		 !(lstat(l->unix_path, &st) == 0 && has_mode(&st, s)) &&
		 net_own_unix(l->unix_path, s->mode, (uid_t)-1, group) != 0)
		buf_addf(errors,
			"%s:%d: listen: cannot change mode and group of %s: "
			"%s\n",
			s->file, s->line, l->unix_path, strerror(errno));
}

/*
 * True if a socket other than the socket for root was passed. The socket for
 * root does not count, because its unit can run while the daemon opens all
 * other sockets.
 */
static bool
has_passed(const struct listeners *l)
{
	size_t i;

	for (i = 0; l != NULL && i < l->n; i++)
		if (l->v[i].passed && !l->v[i].root)
			return true;
	return false;
}

/*
 * Warn of a socket that the service manager has passed, but that `listen` does
 * not have.
 */
static void
warn_unlisted(const struct listener *l, const struct listeners *all,
	const struct settings *s, struct buf *warnings)
{
	const struct listener *passed;
	const struct settings_listen *other;

	if (l->unix_path == NULL) {
		buf_addf(warnings, "%s: listen: ", s->path);
		net_format(&l->addr, warnings);
		buf_adds(warnings, " was passed by a socket unit, and is not "
				   "listed: its clients are refused. List it, "
				   "or stop its socket unit\n");
		return;
	}
	for (other = s->listen; other < s->listen + s->nlisten; other++) {
		passed = find(all, other);
		if (other->unix_path != NULL && other->root == l->root &&
			(passed == NULL || !passed->passed))
			buf_addf(warnings,
				"%s:%d: listen: %s is listed, and %s was "
				"passed by a socket unit, which serves as "
				"well: remove this line\n",
				other->file, other->line, other->unix_path,
				l->unix_path);
	}
}

static void
warn_missing(const struct settings_listen *l, struct buf *warnings)
{
	buf_addf(warnings, "%s:%d: listen: ", l->file, l->line);
	net_format(&l->addr, warnings);
	buf_adds(warnings, " is listed, but was not passed by a socket unit: "
			   "it is not served. Run: bridlectl config "
			   "apply\n");
}

/*
 * Open a listener that `old` does not have. Return 0, or -1 if listeners_open()
 * must fail. If any socket was passed, a failure is only a warning.
 */
static int
open_new(struct listener *l, const struct settings_listen *s,
	const struct listeners *old, uid_t owner, struct buf *errors)
{
	bool passed = has_passed(old);
	int error;

	if (passed && s->unix_path == NULL) {
		warn_missing(s, errors);
		return 0;
	}
	if (open_one(l, s, owner) == 0)
		return 0;
	error = errno;
	close_one(l);
	explain(s, old, error, errors);
	return passed ? 0 : -1;
}

/* Remove the listeners that have no socket from the array. */
static void
compact(struct listeners *l)
{
	size_t i, n = 0;

	for (i = 0; i < l->n; i++)
		if (l->v[i].fd != -1)
			l->v[n++] = l->v[i];
	l->n = n;
}

/*
 * Move the passed sockets that `listen` does not have to `out`. The daemon does
 * not close these sockets, because the service manager keeps them open anyway.
 */
static void
keep_unlisted(struct listeners *out, struct listeners *old,
	const struct settings *s, struct buf *warnings)
{
	size_t i;

	for (i = 0; i < old->n; i++) {
		if (!old->v[i].passed || old->v[i].fd == -1)
			continue;
		out->v[out->n] = old->v[i];
		out->v[out->n].unlisted = old->v[i].unix_path == NULL;
		out->v[out->n].tls = false;
		warn_unlisted(&out->v[out->n++], out, s, warnings);
		old->v[i].fd = -1;
		old->v[i].unix_path = NULL;
	}
}

int
listeners_open(struct listeners *out, struct listeners *old,
	const struct settings *s, uid_t owner, struct buf *errors)
{
	struct listener *from;
	size_t i;

	out->n = 0;
	out->v = calloc(
		s->nlisten + (old != NULL ? old->n : 0) + 1, sizeof(*out->v));
	if (out->v == NULL)
		return -1;
	/*
	 * First do all steps that may fail. If such a step fails, `old` must be
	 * unchanged.
	 */
	for (i = 0; i < s->nlisten; i++, out->n++) {
		out->v[i].fd = -1;
		if (find(old, &s->listen[i]) != NULL)
			continue;
		if (open_new(&out->v[i], &s->listen[i], old, owner, errors) !=
			0) {
			listeners_close(out);
			return -1;
		}
	}
	for (i = 0; i < s->nlisten; i++) {
		from = find(old, &s->listen[i]);
		if (from != NULL)
			take_over(&out->v[i], from, &s->listen[i], errors);
		out->v[i].tls = s->listen[i].tls;
		out->v[i].insecure = s->listen[i].insecure;
		out->v[i].root = s->listen[i].root ||
				 (out->v[i].passed && out->v[i].root);
		out->v[i].unlisted = false;
	}
	compact(out);
	if (old != NULL) {
		keep_unlisted(out, old, s, errors);
		listeners_close(old);
	}
	return 0;
}

void
listeners_missing(
	const struct listeners *l, const struct settings *s, struct buf *out)
{
	const struct settings_listen *at;
	size_t i;

	for (at = s->listen; at < s->listen + s->nlisten; at++) {
		for (i = 0; i < l->n && !is_same(&l->v[i], at); i++)
			;
		if (i < l->n)
			continue;
		buf_adds(out, out->len > 0 ? ", " : "");
		add_place(at->unix_path, &at->addr, out);
	}
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
