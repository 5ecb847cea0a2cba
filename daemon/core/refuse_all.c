#include "core/refuse_all.h"

#include "buf.h"
#include "clock.h"
#include "conf_files.h"
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

#define LOOK_MS 500  /* time between two checks of the files, in ms */
#define PAUSE_MS 100 /* pause after a failed accept(2), in ms */
/* time without a change after which the files count as complete, in ms */
#define SETTLED_MS 2000

struct waiting_for_files {
	struct refusal *why;
	struct buf seen; /* versions of the files */
	int64_t seen_since;
	int64_t next_look; /* time of the next check of the files */
};

/*
 * Append the version of a file or folder, as stat(2) shows it. All members are
 * 0 if the path does not exist.
 */
static void
add_version(struct buf *out, const char *path)
{
	struct {
		dev_t dev;
		ino_t ino;
		off_t size;
		struct timespec changed, status_changed;
	} v;
	struct stat st;

	memset(&v, 0, sizeof(v));
	if (stat(path, &st) == 0) {
		v.dev = st.st_dev;
		v.ino = st.st_ino;
		v.size = st.st_size;
		v.changed = st.st_mtim;
		v.status_changed = st.st_ctim;
	}
	buf_add(out, &v, sizeof(v));
}

/*
 * Append the versions of the configuration file, of the folder, and of the
 * files of the folder.
 */
static void
look(const struct refusal *why, struct buf *out)
{
	struct buf ignored = { 0 };
	char **paths;
	size_t n, i;

	buf_reset(out);
	add_version(out, why->path);
	add_version(out, why->folder);
	conf_files_list(why->folder, &paths, &n, &ignored);
	for (i = 0; i < n; i++)
		add_version(out, paths[i]);
	conf_files_free_paths(paths, n);
	buf_free(&ignored);
}

void
refusal_look(struct refusal *r)
{
	look(r, &r->before);
}

static bool
is_same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/*
 * True if the files differ from the refused versions, and have stayed the same
 * for SETTLED_MS.
 */
static bool
is_mended(struct waiting_for_files *f, int64_t now)
{
	struct buf fresh = { 0 };

	if (now < f->next_look)
		return false;
	f->next_look = now + LOOK_MS;
	look(f->why, &fresh);
	if (!is_same(&fresh, &f->seen)) {
		buf_free(&f->seen);
		f->seen = fresh;
		f->seen_since = now;
	} else {
		buf_free(&fresh);
	}
	return !is_same(&f->seen, &f->why->before) &&
	       now - f->seen_since >= SETTLED_MS;
}

/*
 * Start a child that reads the files. A child is needed because the file system
 * or the name service can hang. If a child is already running, kill it first.
 */
static void
read_again(struct refusal *r)
{
	refusal_look(r);
	load_child_start(r->load, r->path, r->folder);
	/* bridled --reload waits for a load that began after its signal. */
	r->effective->began = r->load->began;
}

/*
 * Refuse at most REJECT_MAX clients in the backlog of the listener. Return the
 * number of refused clients. Set *failed if accept(2) fails, for example
 * because too many files are open. The listener then stays readable.
 */
static unsigned
refuse_clients(const struct listener *l, struct rejected *rejected,
	const char *text, bool *failed)
{
	unsigned n = 0;
	int fd;

	while (n < REJECT_MAX) {
		fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd == -1) {
			*failed =
				*failed || (errno != EAGAIN && errno != EINTR &&
						   errno != ECONNABORTED);
			break;
		}
		reject(rejected, fd, CODE_UNAVAILABLE,
			l->unix_path != NULL ? text : "not serving");
		n++;
	}
	return n;
}

/*
 * Wait for a signal, the result of a child that reads the files, a new client
 * or input from a refused client, for at most `ms` milliseconds. If `paused` is
 * true, do not wait for new clients. Return 0, or -1 if poll(2) fails.
 */
static int
wait_for_work(const struct listeners *l, const struct rejected *rejected,
	int signals, int load, struct pollfd *fds, bool paused, int ms)
{
	nfds_t n = 0;
	size_t i;

	fds[n++] = (struct pollfd){ .fd = signals, .events = POLLIN };
	/* poll(2) ignores a descriptor of -1. */
	fds[n++] = (struct pollfd){ .fd = load, .events = POLLIN };
	for (i = 0; i < l->n && !paused; i++)
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
	struct waiting_for_files *files, int signals, struct pollfd *fds,
	struct rejected *rejected)
{
	struct load_child *load = files->why->load;
	struct sd_notify_counts counts = { 0 };
	struct rejected before;
	int64_t now, next;
	int signal_number;
	bool paused = false;
	size_t i;

	look(files->why, &files->seen);
	files->seen_since = clock_ms();
	for (;;) {
		now = clock_ms();
		if (load->state == LOAD_NONE && is_mended(files, now))
			read_again(files->why);
		next = clock_earlier(load_child_expire(load, now),
			now + (paused ? PAUSE_MS : LOOK_MS));
		if (load->state == LOAD_DONE)
			return 0;
		next = clock_earlier(
			clock_earlier(next, reject_expire(rejected, now)),
			sd_notify_expire(manager, &counts, now));
		if (wait_for_work(l, rejected, signals, load->fd, fds, paused,
			    clock_left(next)) != 0)
			return -1;
		if ((signal_number = take_signal(signals)) == SIGHUP)
			read_again(files->why);
		else if (signal_number != 0)
			return -1;
		if (load->fd != -1)
			load_child_read(load);
		before = *rejected;
		for (i = 0; i < before.n; i++)
			reject_read(rejected, before.v[i].fd);
		paused = false;
		for (i = 0; i < l->n; i++)
			counts.refused += refuse_clients(
				&l->v[i], rejected, files->why->text, &paused);
	}
}

int
refuse_all(const struct listeners *l, struct sd_notify *manager,
	struct refusal *why)
{
	struct pollfd *fds = calloc(2 + l->n + REJECT_MAX, sizeof(*fds));
	struct waiting_for_files files = { .why = why };
	struct rejected rejected = { 0 };
	sigset_t handled, before;
	int signals, result = -1;

	sigemptyset(&handled);
	sigaddset(&handled, SIGHUP);
	sigaddset(&handled, SIGTERM);
	sigaddset(&handled, SIGINT);
	sigprocmask(SIG_BLOCK, &handled, &before);
	signals = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
	effective_refuse(why->effective, why->path, why->errors);
	sd_notify_state(manager, "READY=1", why->remark);
	if (fds != NULL && signals != -1)
		result = turn(l, manager, &files, signals, fds, &rejected);
	reject_close(&rejected);
	buf_free(&files.seen);
	fd_close(&signals);
	sigaddset(&before, SIGHUP);
	sigprocmask(SIG_SETMASK, &before, NULL);
	free(fds);
	return result;
}
