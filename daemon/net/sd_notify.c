#include "net/sd_notify.h"

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

#define STATUS_MS 2000 /* minimum milliseconds between two status messages */

/*
 * Connect to the service manager's socket. A path that begins with "@" is an
 * abstract socket. Return the descriptor, or -1 if there is no such socket.
 */
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
 * Return the milliseconds between two watchdog messages, or 0 without a
 * watchdog. The result is a third of the watchdog's timeout, so that one lost
 * message does no harm.
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
sd_notify_open(struct sd_notify *n)
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
add_status(const struct sd_notify *n, struct buf *out)
{
	buf_addf(out,
		"STATUS=%sSessions: %llu, requests: %llu, refused: %llu\n",
		n->remark, (unsigned long long)n->now.sessions,
		(unsigned long long)n->now.requests,
		(unsigned long long)n->now.refused);
}

/* Send the text to the service manager, and free the text. Ignore a failure. */
static void
send_text(struct sd_notify *n, struct buf *text, int flags)
{
	if (!text->failed)
		(void)!send(n->fd, text->data, text->len, flags | MSG_NOSIGNAL);
	buf_free(text);
}

void
sd_notify_state(struct sd_notify *n, const char *state, const char *remark)
{
	struct buf text = { 0 };
	struct timespec ts;

	n->remark = remark;
	if (n->fd == -1)
		return;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	/*
	 * The state RELOADING=1 needs MONOTONIC_USEC. Other states ignore this
	 * line (sd_notify(3)).
	 */
	buf_addf(&text, "%s\nMONOTONIC_USEC=%lld\n", state,
		(long long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
	add_status(n, &text);
	send_text(n, &text, 0);
}

static int
is_sent(const struct sd_notify *n)
{
	return n->now.sessions == n->sent.sessions &&
	       n->now.requests == n->sent.requests &&
	       n->now.refused == n->sent.refused;
}

int64_t
sd_notify_expire(
	struct sd_notify *n, const struct sd_notify_counts *counts, int64_t now)
{
	struct buf text = { 0 };

	n->now = *counts;
	if (n->fd == -1)
		return CLOCK_NEVER;
	if (now >= n->alive_again) {
		buf_adds(&text, "WATCHDOG=1\n");
		n->alive_again = now + n->alive;
	}
	if (now >= n->status_again && !is_sent(n)) {
		add_status(n, &text);
		n->sent = n->now;
		n->status_again = now + STATUS_MS;
	}
	if (text.len > 0)
		send_text(n, &text, MSG_DONTWAIT);
	if (!is_sent(n))
		return clock_earlier(n->status_again, n->alive_again);
	return n->alive_again;
}
