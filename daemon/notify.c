#include "notify.h"

#include "buf.h"
#include "clock.h"
#include "fd.h"
#include "net.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STATUS_MS 2000 /* between two lines about what we do */

/* "@name" is an abstract socket; -1 if there is none to talk to. */
static int
open_socket(const char *path)
{
	struct sockaddr_un un;
	socklen_t len;
	int fd;

	if (path == NULL || (*path != '/' && *path != '@') ||
		net_unix(path, &un) != 0)
		return -1;
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			  strlen(path));
	if (*path == '@')
		un.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&un, len) != 0)
		fd_close(&fd);
	return fd;
}

/*
 * Thrice within the time that the manager allows: one that is lost does not
 * matter then.
 */
static int64_t
read_interval(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");

	if (usec == NULL || (pid != NULL && atol(pid) != getpid()))
		return 0;
	return atoll(usec) / 1000 / 3;
}

void
notify_open(struct notify *n)
{
	memset(n, 0, sizeof(*n));
	n->fd = open_socket(getenv("NOTIFY_SOCKET"));
	if (n->fd != -1)
		n->alive = read_interval();
	n->alive_again = n->alive > 0 ? clock_ms() : CLOCK_NEVER;
	n->remark = "";
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

static void
add_status(const struct notify *n, struct buf *out)
{
	buf_addf(out,
		"STATUS=%sSessions: %llu, requests: %llu, refused: %llu\n",
		n->remark, (unsigned long long)n->now.sessions,
		(unsigned long long)n->now.requests,
		(unsigned long long)n->now.refused);
}

/* What cannot be said is not worth more than the attempt. */
static void
say(struct notify *n, struct buf *text, int flags)
{
	if (!text->failed)
		(void)!send(n->fd, text->data, text->len, flags | MSG_NOSIGNAL);
	buf_free(text);
}

void
notify_state(struct notify *n, const char *state, const char *remark)
{
	struct buf text = { 0 };
	struct timespec ts;

	n->remark = remark;
	if (n->fd == -1)
		return;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	/* sd_notify(3) wants the time with RELOADING=1, and else ignores it. */
	buf_addf(&text, "%s\nMONOTONIC_USEC=%lld\n", state,
		(long long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
	add_status(n, &text);
	say(n, &text, 0);
}

void
notify_counts(struct notify *n, const struct notify_counts *counts)
{
	n->now = *counts;
}

static int
is_told(const struct notify *n)
{
	return n->now.sessions == n->told.sessions &&
	       n->now.requests == n->told.requests &&
	       n->now.refused == n->told.refused;
}

void
notify_expire(struct notify *n, int64_t now)
{
	struct buf text = { 0 };

	if (n->fd == -1)
		return;
	if (now >= n->alive_again) {
		buf_adds(&text, "WATCHDOG=1\n");
		n->alive_again = now + n->alive;
	}
	if (now >= n->status_again && !is_told(n)) {
		add_status(n, &text);
		n->told = n->now;
		n->status_again = now + STATUS_MS;
	}
	if (text.len > 0)
		say(n, &text, MSG_DONTWAIT);
}

int64_t
notify_deadline(const struct notify *n)
{
	if (n->fd == -1)
		return CLOCK_NEVER;
	if (!is_told(n) && n->status_again < n->alive_again)
		return n->status_again;
	return n->alive_again;
}
