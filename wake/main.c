/*
 * bridled-wake USER: the helper of bridled that sends Wake-on-LAN packets. The
 * service manager passes a listening unix socket. Only USER and root may ask.
 * The helper reads one line from each connection, replies, and closes the
 * connection. Without requests, the helper exits.
 */
#include "answer.h"
#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#define PASSED_FD 3    /* number of the first socket in sd_listen_fds(3) */
#define IDLE_MS 30000  /* time without requests until the helper exits */
#define CLIENT_MS 2000 /* time for the line of a connection */
#define LINE_SIZE 64

/* True if the client is the user of bridled, or root. */
static bool
is_permitted(int client, uid_t user)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == 0 || peer.uid == user);
}

/*
 * Read one line, and replace its LF by NUL. Return false if the line is
 * incomplete after CLIENT_MS, or too long.
 */
static bool
read_line(int client, char line[LINE_SIZE])
{
	int64_t deadline = clock_ms() + CLIENT_MS;
	size_t len = 0;
	ssize_t n;
	char *end;

	while (len < LINE_SIZE) {
		if (fd_wait(client, POLLIN, deadline) != 0)
			return false;
		n = recv(client, line + len, LINE_SIZE - len, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return false;
		len += (size_t)n;
		if ((end = memchr(line, '\n', len)) != NULL) {
			*end = '\0';
			return true;
		}
	}
	return false;
}

static void
serve(int client, uid_t user)
{
	struct buf reply = { 0 };
	char line[LINE_SIZE];

	/*
	 * Read the line of each client. If bytes are unread at the close, the
	 * client does not get the reply.
	 */
	if (read_line(client, line)) {
		if (is_permitted(client, user))
			answer(line, &reply);
		else
			buf_adds(&reply,
				"error only bridled may ask this helper\n");
	}
	/*
	 * A client that reads nothing must not stop the helper. The buffer of
	 * the socket holds each reply.
	 */
	if (reply.len > 0 && !reply.failed)
		send(client, reply.data, reply.len,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	buf_free(&reply);
}

static int
serve_all(uid_t user)
{
	struct pollfd p = { .fd = PASSED_FD, .events = POLLIN };
	int client, ready;

	while ((ready = poll(&p, 1, IDLE_MS)) != 0) {
		if (ready < 0) {
			if (errno == EINTR)
				continue;
			return EX_OSERR;
		}
		client = accept4(
			PASSED_FD, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (client == -1 && errno == EMFILE)
			return EX_OSERR;
		if (client == -1)
			continue;
		serve(client, user);
		fd_close(&client);
	}
	return 0;
}

/* True if the service manager has passed exactly one socket. */
static bool
has_socket(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");

	return pid != NULL && fds != NULL && strcmp(fds, "1") == 0 &&
	       strtol(pid, NULL, 10) == (long)getpid() &&
	       fd_nonblock(PASSED_FD) == 0;
}

int
main(int argc, char **argv)
{
	const struct passwd *pw;

	if (argc != 2) {
		fputs("usage: bridled-wake USER\n", stderr);
		return EX_USAGE;
	}
	if (!has_socket()) {
		fputs("bridled-wake: no socket was passed; enable "
		      "bridled-wake.socket\n",
			stderr);
		return EX_USAGE;
	}
	if ((pw = getpwnam(argv[1])) == NULL) {
		fprintf(stderr, "bridled-wake: there is no user \"%s\"\n",
			argv[1]);
		return EX_NOUSER;
	}
	signal(SIGPIPE, SIG_IGN);
	return serve_all(pw->pw_uid);
}
