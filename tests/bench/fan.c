/*
 * A minimal client, for a comparison with bridlectl's fan-out. The client
 * starts a process for each host, and at most FANOUT processes run in parallel.
 * Each process connects with TLS, sends the request, and prints the reply.
 *
 *     fan PORT:KEY HOSTS FANOUT REQUEST
 *
 * KEY is a file with the client's key and certificate. REQUEST is a line that
 * ends with LF. HOSTS is the number of hosts, whose addresses are 127.1.1.1 to
 * 127.1.1.250, 127.1.2.1 and so on.
 */
#include "buf.h"
#include "stream.h"
#include "tls.h"

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROW 250 /* hosts whose addresses differ only in the last number */

static struct tls_context *context;
static uint16_t port;

static void
parse_place(const char *place)
{
	const char *path = strchr(place, ':');
	char problem[TLS_PROBLEM_SIZE] = "no key is named";
	struct tls_key *key = path ? tls_key_read(path + 1, problem) : NULL;

	if (key == NULL || (context = tls_client(key, problem)) == NULL)
		errx(1, "%s: %s", place, problem);
	tls_key_free(key);
	port = (uint16_t)atoi(place);
}

static int
connect_to(unsigned number)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int on = 1;

	in.sin_addr.s_addr = htonl(
		0x7f010000 | (number / ROW + 1) << 8 | (number % ROW + 1));
	if (connect(fd, (struct sockaddr *)&in, sizeof(in)) != 0)
		err(1, "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/*
 * True if the reply is complete. The last line of a complete reply ends with
 * LF, and is not a record.
 */
static bool
is_whole(const struct buf *answer)
{
	const char *line;

	if (answer->len == 0 || answer->data[answer->len - 1] != '\n')
		return false;
	line = memrchr(answer->data, '\n', answer->len - 1);
	line = line == NULL ? answer->data : line + 1;
	return strncmp(line, "1#100#", 6) != 0;
}

static _Noreturn void
ask(unsigned number, const char *request)
{
	struct buf answer = { 0 };
	struct stream s;
	int fd = connect_to(number);
	struct tls *tls = tls_open(context, fd);
	ssize_t n = 1;
	char *to;
	int result;

	if (tls == NULL)
		errx(1, "no memory");
	/* The first call returns before it has read anything. */
	while ((result = tls_handshake(tls)) == TLS_WANT_READ)
		;
	if (result != 0)
		errx(1, "no handshake");
	stream_init(&s, fd, tls);
	if (stream_write(&s, request, strlen(request)) < 0)
		errx(1, "the request was not sent");
	while (n > 0 && !is_whole(&answer)) {
		if ((to = buf_room(&answer, 65536)) == NULL)
			errx(1, "no memory");
		if ((n = stream_read(&s, to, 65536)) > 0)
			answer.len += (size_t)n;
	}
	tls_close(tls);
	if (n <= 0 || write(STDOUT_FILENO, answer.data, answer.len) < 0)
		errx(1, "no answer");
	_exit(0);
}

/*
 * Wait until any child process ends. If the child has failed, exit with an
 * error.
 */
static void
reap(void)
{
	int status;

	if (wait(&status) > 0 && status != 0)
		errx(1, "a host has not answered");
}

int
main(int argc, char **argv)
{
	unsigned hosts, most, i;

	if (argc != 5)
		errx(2, "usage: fan PORT:KEY HOSTS FANOUT REQUEST");
	parse_place(argv[1]);
	hosts = (unsigned)atoi(argv[2]);
	most = (unsigned)atoi(argv[3]);
	for (i = 0; i < hosts + most; i++) {
		if (i >= most)
			reap();
		if (i < hosts && fork() == 0)
			ask(i, argv[4]);
	}
	return 0;
}
