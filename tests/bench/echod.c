/*
 * A minimal server, for a comparison with bridled. For each connection the
 * server forks a child, which echoes one line and exits.
 *
 *     echod unix:PATH | PORT | tls:PORT:KEY
 *
 * With TLS the server requests a client certificate, and accepts any
 * certificate. KEY is a file with the server's key and certificate.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
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

static int
accept_any(X509_STORE_CTX *store, void *arg)
{
	(void)store;
	(void)arg;
	return 1;
}

static SSL_CTX *
new_context(const char *key)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());

	if (c == NULL ||
		SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) != 1 ||
		SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_use_certificate_file(c, key, SSL_FILETYPE_PEM) != 1)
		errx(1, "%s", key);
	SSL_CTX_set_num_tickets(c, 0);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(c, accept_any, NULL);
	return c;
}

static void __attribute__((noreturn)) echo_tls(SSL_CTX *context, int fd)
{
	SSL *ssl = SSL_new(context);
	char line[4096];
	int n;

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) != 1)
		_exit(1);
	while ((n = SSL_read(ssl, line, sizeof(line))) > 0)
		if (SSL_write(ssl, line, n) != n)
			break;
	_exit(0);
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
	SSL_CTX *tls = NULL;
	char *where = argv[1], *key;
	int server, fd;

	if (argc != 2)
		errx(2, "usage: echod unix:PATH | PORT | tls:PORT:KEY");
	signal(SIGCHLD, SIG_IGN); /* let the kernel reap the children */
	signal(SIGPIPE, SIG_IGN);
	if (strncmp(where, "tls:", 4) == 0 &&
		(key = strchr(where + 4, ':')) != NULL) {
		*key = '\0';
		tls = new_context(key + 1);
		where += 4;
	}
	server = listen_at(where);
	for (;;) {
		if ((fd = accept(server, NULL, NULL)) == -1)
			continue;
		if (fork() == 0) {
			close(server);
			if (tls != NULL)
				echo_tls(tls, fd);
			echo(fd);
		}
		close(fd);
	}
}
