#include "core/refuse_all.h"

#include "clock.h"
#include "fd.h"
#include "net/reject.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS 500 /* time between two checks of the file, in ms */
/* time without a change after which the file counts as complete, in ms */
#define SETTLED_MS 2000

/*
 * The version of the file, as stat(2) shows it. All members are 0 if the file
 * does not exist.
 */
struct version {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed, status_changed;
};

struct waiting_for_file {
	const char *path;
	struct version refused, seen;
	int64_t seen_since;
};

static struct version
look(const char *path)
{
	struct version v;
	struct stat st;

	memset(&v, 0, sizeof(v));
	if (stat(path, &st) != 0)
		return v;
	v.dev = st.st_dev;
	v.ino = st.st_ino;
	v.size = st.st_size;
	v.changed = st.st_mtim;
	v.status_changed = st.st_ctim;
	return v;
}

static bool
is_same(const struct version *a, const struct version *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec &&
	       a->changed.tv_nsec == b->changed.tv_nsec &&
	       a->status_changed.tv_sec == b->status_changed.tv_sec &&
	       a->status_changed.tv_nsec == b->status_changed.tv_nsec;
}

/*
 * True if the file differs from the refused version, and has not changed for
 * SETTLED_MS.
 */
static bool
is_mended(struct waiting_for_file *f, int64_t now)
{
	struct version v = look(f->path);

	if (!is_same(&v, &f->seen)) {
		f->seen = v;
		f->seen_since = now;
	}
	return !is_same(&f->seen, &f->refused) &&
	       now - f->seen_since >= SETTLED_MS;
}

/*
 * Refuse at most REJECT_MAX clients in the backlog of the listener. Return the
 * number of refused clients.
 */
static unsigned
refuse_clients(
	const struct listener *l, struct rejected *rejected, const char *text)
{
	unsigned n = 0;
	int fd;

	while (n < REJECT_MAX &&
		(fd = accept4(l->fd, NULL, NULL,
			 SOCK_CLOEXEC | SOCK_NONBLOCK)) != -1) {
		reject(rejected, fd, CODE_UNAVAILABLE,
			l->unix_path != NULL ? text : "not serving");
		n++;
	}
	return n;
}

/*
 * Wait for a signal, a new client or input from a refused client, for at most
 * `ms` milliseconds. Return 0, or -1 if poll(2) fails.
 */
static int
wait_for_work(const struct listeners *l, const struct rejected *rejected,
	int signals, struct pollfd *fds, int ms)
{
	nfds_t n = 0;
	size_t i;

	fds[n++] = (struct pollfd){ .fd = signals, .events = POLLIN };
	for (i = 0; i < l->n; i++)
		fds[n++] =
			(struct pollfd){ .fd = l->v[i].fd, .events = POLLIN };
	for (i = 0; i < rejected->n; i++)
		fds[n++] = (struct pollfd){ .fd = rejected->v[i].fd,
			.events = POLLIN };
	if (poll(fds, n, ms) == -1 && errno != EINTR)
		return -1;
	return 0;
}

/*
 * Return the number of the next pending signal, or 0 if no signal is pending.
 */
static int
take_signal(int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

/* Do the work of refuse_all(), and return its result. */
static int
turn(const struct listeners *l, struct sd_notify *manager,
	const struct refusal *why, int signals, struct pollfd *fds,
	struct rejected *rejected)
{
	struct waiting_for_file file = { .path = why->path };
	struct sd_notify_counts counts = { 0 };
	struct rejected before;
	int64_t now, next;
	int signal_number;
	size_t i;

	file.refused = file.seen = look(why->path);
	for (;;) {
		now = clock_ms();
		if (is_mended(&file, now))
			return 0;
		next = clock_earlier(sd_notify_expire(manager, &counts, now),
			clock_earlier(
				reject_expire(rejected, now), now + LOOK_MS));
		if (wait_for_work(
			    l, rejected, signals, fds, clock_left(next)) != 0)
			return -1;
		if ((signal_number = take_signal(signals)) != 0)
			return signal_number == SIGHUP ? 0 : -1;
		before = *rejected;
		for (i = 0; i < before.n; i++)
			reject_read(rejected, before.v[i].fd);
		for (i = 0; i < l->n; i++)
			counts.refused +=
				refuse_clients(&l->v[i], rejected, why->text);
	}
}

int
refuse_all(const struct listeners *l, struct sd_notify *manager,
	const struct refusal *why)
{
	struct pollfd *fds = calloc(1 + l->n + REJECT_MAX, sizeof(*fds));
	struct rejected rejected = { 0 };
	sigset_t handled, before;
	int signals, result = -1;

	sigemptyset(&handled);
	sigaddset(&handled, SIGHUP);
	sigaddset(&handled, SIGTERM);
	sigaddset(&handled, SIGINT);
	sigprocmask(SIG_BLOCK, &handled, &before);
	signals = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
	sd_notify_state(manager, "READY=1", why->remark);
	if (fds != NULL && signals != -1)
		result = turn(l, manager, why, signals, fds, &rejected);
	reject_close(&rejected);
	fd_close(&signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	free(fds);
	return result;
}
