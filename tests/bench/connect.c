/*
 * A benchmark of calls per second. A call connects, sends a line, reads a line
 * and closes the connection.
 *
 *     connect unix:PATH|PORT|tls:PORT:KEY CLIENTS MILLISECONDS
 *
 * The program prints the number of calls per second. After this it prints the
 * median and the 99th percentile of the time for one call, in microseconds.
 */
#include "stream.h"
#include "tls.h"

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES_MAX (1 << 20)

struct shared {
	unsigned n; /* number of calls, counted atomically */
	unsigned failed;
	unsigned samples[SAMPLES_MAX];
};

static union {
	struct sockaddr sa;
	struct sockaddr_un un;
	struct sockaddr_in in;
} address;
static socklen_t length;
static struct tls_context *context; /* settings of TLS; NULL without TLS */

/*
 * Set `context` to a TLS context with the key of "PORT:KEY". Return `where`,
 * which begins with the port. Exit with an error if the key cannot be read.
 */
static const char *
read_key(const char *where)
{
	const char *path = strchr(where, ':');
	char problem[TLS_PROBLEM_SIZE] = "no key is named";
	struct tls_key *key = path ? tls_key_read(path + 1, problem) : NULL;

	if (key == NULL || (context = tls_client(key, problem)) == NULL)
		errx(1, "%s: %s", where, problem);
	tls_key_free(key);
	return where;
}

static void
parse_address(const char *where)
{
	if (strncmp(where, "unix:", 5) == 0) {
		address.un.sun_family = AF_UNIX;
		strncpy(address.un.sun_path, where + 5,
			sizeof(address.un.sun_path) - 1);
		length = sizeof(address.un);
	} else {
		if (strncmp(where, "tls:", 4) == 0)
			where = read_key(where + 4);
		address.in.sin_family = AF_INET;
		address.in.sin_port = htons((uint16_t)atoi(where));
		address.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		length = sizeof(address.in);
	}
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/*
 * Do the whole handshake on a blocking socket. Return 0, or -1 on failure. The
 * first call returns TLS_WANT_READ before it has read anything.
 */
static int
handshake(struct tls *tls)
{
	int result;

	do
		result = tls_handshake(tls);
	while (result == TLS_WANT_READ);
	return result == 0 ? 0 : -1;
}

static int
call(void)
{
	static const char request[] = "1#4\n";
	char line[4096];
	size_t len = 0;
	ssize_t n;
	int fd = socket(address.sa.sa_family, SOCK_STREAM, 0);
	struct tls *tls = NULL;
	struct stream s;
	int on = 1;

	if (connect(fd, &address.sa, length) != 0)
		goto fail;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (context != NULL &&
		((tls = tls_open(context, fd)) == NULL || handshake(tls) != 0))
		goto fail;
	stream_init(&s, fd, tls);
	if (stream_write(&s, request, sizeof(request) - 1) < 0)
		goto fail;
	while ((n = stream_read(&s, line + len, sizeof(line) - len)) > 0) {
		len += (size_t)n;
		if (line[len - 1] == '\n')
			break;
	}
	tls_close(tls);
	close(fd);
	if (n <= 0)
		return -1;
	/* A successful reply is the echo of the line, or the status 200. */
	return strncmp(line, request, sizeof(request) - 1) == 0 ||
			       strncmp(line, "1#200", 5) == 0
		       ? 0
		       : -1;
fail:
	tls_close(tls);
	close(fd);
	return -1;
}

static void __attribute__((noreturn)) client(struct shared *shared, double end)
{
	double start, stop;
	unsigned i;

	while ((start = now()) < end) {
		if (call() != 0) {
			__atomic_add_fetch(
				&shared->failed, 1, __ATOMIC_RELAXED);
			continue;
		}
		stop = now();
		i = __atomic_fetch_add(&shared->n, 1, __ATOMIC_RELAXED);
		if (i < SAMPLES_MAX)
			shared->samples[i] = (unsigned)((stop - start) * 1e6);
	}
	_exit(0);
}

static int
compare(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	struct shared *s;
	double start, seconds;
	int clients, i;

	if (argc != 4)
		errx(2, "usage: connect unix:PATH|PORT CLIENTS MILLISECONDS");
	parse_address(argv[1]);
	clients = atoi(argv[2]);
	seconds = atof(argv[3]) / 1000;
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		err(1, "mmap");
	start = now();
	for (i = 0; i < clients; i++)
		if (fork() == 0)
			client(s, start + seconds);
	while (wait(NULL) > 0)
		;
	seconds = now() - start;
	if (s->n == 0)
		errx(1, "no answer from %s", argv[1]);
	qsort(s->samples, s->n < SAMPLES_MAX ? s->n : SAMPLES_MAX,
		sizeof(s->samples[0]), compare);
	printf("%.0f %u %u\n", s->n / seconds, s->samples[s->n / 2],
		s->samples[(size_t)s->n * 99 / 100]);
	if (s->failed > 0)
		fprintf(stderr, "%u calls failed\n", s->failed);
	return 0;
}
