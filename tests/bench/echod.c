/*
 * The bare server that ours is measured against: accepts, forks, echoes one
 * line, ends. Nothing else that a server needs is in it.
 *
 *     echod unix:PATH | PORT
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int
listen_at(const char *where)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET };
	int on = 1, fd;

	if (strncmp(where, "unix:", 5) == 0) {
		strncpy(un.sun_path, where + 5, sizeof(un.sun_path) - 1);
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (bind(fd, (struct sockaddr *)&un, sizeof(un)) != 0)
			err(1, "%s", where);
	} else {
		in.sin_port = htons((uint16_t)atoi(where));
		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, (struct sockaddr *)&in, sizeof(in)) != 0)
			err(1, "%s", where);
	}
	if (listen(fd, SOMAXCONN) != 0)
		err(1, "%s", where);
	return fd;
}

static void __attribute__((noreturn)) echo(int fd)
{
	char line[4096];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, line + len, sizeof(line) - len)) > 0) {
		len += (size_t)n;
		if (memchr(line, '\n', len) == NULL)
			continue;
		if (write(fd, line, len) != (ssize_t)len)
			break;
		len = 0;
	}
	_exit(0);
}

int
main(int argc, char **argv)
{
	int server, fd;

	if (argc != 2)
		errx(2, "usage: echod unix:PATH | PORT");
	signal(SIGCHLD, SIG_IGN); /* the kernel reaps */
	server = listen_at(argv[1]);
	for (;;) {
		if ((fd = accept(server, NULL, NULL)) == -1)
			continue;
		if (fork() == 0) {
			close(server);
			echo(fd);
		}
		close(fd);
	}
}
