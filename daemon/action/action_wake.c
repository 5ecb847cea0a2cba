/*
 * The action of a `wake` request. The helper bridled-wake sends the packets,
 * because the daemon itself can be without a network.
 */
#include "action/action_report.h"

#include "clock.h"
#include "config/settings.h"
#include "fd.h"
#include "net.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* maximum wait for the helper's whole reply, in ms */
#define HELPER_MS 5000
#define REPLY_MAX (64 * 1024) /* maximum number of bytes of the reply */

/* Return a socket that is connected to the helper, or -1 with errno. */
static int
connect_helper(const char *path)
{
	struct sockaddr_un un;
	int fd;

	if (net_unix(path, &un) != 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&un, sizeof(un)) != 0)
		fd_close(&fd);
	return fd;
}

/*
 * Send the line to the helper, and append its reply up to the end of the
 * connection. Return 0, or -1 with errno.
 */
static int
exchange(int fd, const char *line, struct buf *reply)
{
	int64_t deadline = clock_ms() + HELPER_MS;
	size_t len = strlen(line);
	ssize_t n;
	char *to;

	if (send(fd, line, len, MSG_NOSIGNAL) != (ssize_t)len ||
		send(fd, "\n", 1, MSG_NOSIGNAL) != 1)
		return -1;
	while (reply->len < REPLY_MAX) {
		if (fd_wait(fd, POLLIN, deadline) != 0)
			return -1;
		if ((to = buf_room(reply, 4096)) == NULL)
			return -1;
		n = read(fd, to, 4096);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -1;
		if (n > 0)
			reply->len += (size_t)n;
	}
	errno = EFBIG;
	return -1;
}

/* Append a record for a line "INTERFACE MAC ADDRESS...". */
static void
add_record(struct buf *out, char *line)
{
	const char *name = strsep(&line, " ");
	const char *mac = line != NULL ? strsep(&line, " ") : "";

	wire_record(out);
	wire_puts(out, name);
	wire_puts(out, mac);
	wire_puts(out, line != NULL ? line : "");
	wire_end(out);
}

/*
 * Read the last line of the reply, "ok NUMBER" or "error REASON". Write the
 * lines before it as records.
 */
static int
conclude(const struct action_context *c, char *reply)
{
	struct buf *out = c->rows;
	char *line, *rest = reply;
	bool own = strcmp(c->request->strings[REQUEST_MAC], "own") == 0;

	if (own)
		wire_columns(out, verb_wake_columns);
	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
		if (strncmp(line, "error ", 6) == 0)
			return action_report(c, CODE_FAILED, "%s", line + 6);
		if (strncmp(line, "ok ", 3) != 0) {
			add_record(out, line);
			continue;
		}
		if (own && action_rows(c) != ACTION_OK)
			return ACTION_FAILED;
		if (own)
			return action_report(
				c, CODE_OK, "interfaces: %s", line + 3);
		return action_report(c, CODE_OK,
			"packet for %s sent, networks: %s",
			c->request->strings[REQUEST_MAC], line + 3);
	}
	return action_report(
		c, CODE_FAILED, "bridled-wake has sent no valid reply");
}

/* Report that the helper cannot be reached. The reason is in errno. */
static int
find_unreached(const struct action_context *c, const char *path)
{
	if (errno == ENOENT || errno == ECONNREFUSED)
		return action_report(c, CODE_CONFLICT,
			"this machine sends no packets: on this machine, run "
			"'systemctl enable --now bridled-wake.socket'");
	return action_report(c, CODE_FAILED, "%s: %s", path, strerror(errno));
}

int
action_wake(const struct action_context *c)
{
	const char *path = c->settings->wake_socket;
	struct buf reply = { 0 };
	int fd = connect_helper(path), result;

	if (fd == -1)
		return find_unreached(c, path);
	if (exchange(fd, c->request->strings[REQUEST_MAC], &reply) != 0) {
		result = action_report(c, CODE_FAILED,
			"bridled-wake does not reply: %s", strerror(errno));
	} else {
		buf_addc(&reply, '\0');
		result = reply.failed ? ACTION_FAILED : conclude(c, reply.data);
	}
	fd_close(&fd);
	buf_free(&reply);
	return result;
}
