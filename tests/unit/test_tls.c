#include "tls.h"
#include "tls_openssl.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/ssl.h>

#define ROUNDS 20

/* A server and a client, and the pair of sockets between them. */
struct fixture {
	struct tls_key *server_key, *client_key;
	struct tls_context *server_side, *client_side;
	int fd[2];
	struct tls *server, *conn;
};

static struct tls_key *
new_key(enum tls_key_type type)
{
	char problem[TLS_PROBLEM_SIZE];
	struct tls_key *key = tls_key_create(type, "test", problem);

	assert_non_null(key);
	return key;
}

static void
begin(struct fixture *f, enum tls_key_type type, bool client_has_key)
{
	char problem[TLS_PROBLEM_SIZE];

	memset(f, 0, sizeof(*f));
	f->server_key = new_key(type);
	f->client_key = client_has_key ? new_key(type) : NULL;
	assert_non_null(f->server_side = tls_server(f->server_key, problem));
	assert_non_null(f->client_side = tls_client(f->client_key, problem));
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f->fd), 0);
	assert_non_null(f->server = tls_open(f->server_side, f->fd[0]));
	assert_non_null(f->conn = tls_open(f->client_side, f->fd[1]));
}

static void
end(struct fixture *f)
{
	tls_close(f->server);
	tls_close(f->conn);
	close(f->fd[0]);
	if (f->fd[1] != -1)
		close(f->fd[1]);
	tls_context_free(f->server_side);
	tls_context_free(f->client_side);
	tls_key_free(f->server_key);
	tls_key_free(f->client_key);
}

static void
shake_hands(struct fixture *f)
{
	int a = -1, b = -1, i;

	for (i = 0; i < ROUNDS && (a != 0 || b != 0); i++) {
		b = tls_handshake(f->conn);
		a = tls_handshake(f->server);
	}
	assert_int_equal(a, 0);
	assert_int_equal(b, 0);
}

static void
check_both_ways(enum tls_key_type type)
{
	char wanted[TLS_FINGERPRINT_SIZE], got[TLS_FINGERPRINT_SIZE];
	char text[32];
	struct fixture f;

	begin(&f, type, true);
	shake_hands(&f);
	tls_key_fingerprint(f.client_key, wanted);
	assert_true(tls_fingerprint_valid(wanted));
	assert_true(tls_peer(f.server, got));
	assert_string_equal(got, wanted);
	tls_key_fingerprint(f.server_key, wanted);
	assert_true(tls_peer(f.conn, got));
	assert_string_equal(got, wanted);

	assert_int_equal(tls_read(f.server, text, sizeof(text)), TLS_WANT_READ);
	assert_int_equal(tls_write(f.conn, "1#4\n", 4), 4);
	assert_int_equal(tls_read(f.server, text, 2), 2);
	assert_true(tls_pending(f.server));
	assert_int_equal(tls_read(f.server, text, sizeof(text)), 2);
	assert_false(tls_pending(f.server));
	/*
	 * After close_notify in one direction, the other direction still works.
	 */
	assert_int_equal(tls_shutdown(f.conn), 0);
	assert_int_equal(tls_read(f.server, text, sizeof(text)), 0);
	assert_int_equal(tls_write(f.server, "pong", 4), 4);
	assert_int_equal(tls_read(f.conn, text, sizeof(text)), 4);
	end(&f);
}

static void
test_p256(void **state)
{
	(void)state;
	check_both_ways(TLS_KEY_P256);
}

static void
test_ed25519(void **state)
{
	(void)state;
	check_both_ways(TLS_KEY_ED25519);
}

static void *
serve(void *arg)
{
	tls_handshake(arg);
	return NULL;
}

/*
 * Test that the handshake reports a bad key file. The peer has done its part of
 * the handshake before the file is parsed. Blocking sockets make this order
 * certain.
 */
static void
test_a_key_that_is_none_is_named_also_in_a_hurry(void **state)
{
	char path[] = "/tmp/bridle-XXXXXX", problem[TLS_PROBLEM_SIZE];
	struct tls_context *context;
	struct tls_key *key;
	struct fixture f;
	struct tls *hasty;
	pthread_t server;
	int fd = mkstemp(path);

	(void)state;
	begin(&f, TLS_KEY_P256, false);
	assert_int_equal(fcntl(f.fd[0], F_SETFL, 0), 0);
	assert_int_equal(fcntl(f.fd[1], F_SETFL, 0), 0);
	assert_int_equal(write(fd, "no key", 6), 6);
	close(fd);
	assert_non_null(key = tls_key_open(path, problem));
	assert_non_null(context = tls_client(key, problem));
	assert_non_null(hasty = tls_open(context, f.fd[1]));
	assert_int_equal(pthread_create(&server, NULL, serve, f.server), 0);
	assert_int_equal(tls_handshake(hasty), TLS_FAILED);
	assert_non_null(strstr(tls_problem(hasty), path));
	assert_non_null(
		strstr(tls_problem(hasty), "no key with its certificate"));
	shutdown(f.fd[1], SHUT_RDWR);
	assert_int_equal(pthread_join(server, NULL), 0);
	unlink(path);
	tls_close(hasty);
	tls_context_free(context);
	tls_key_free(key);
	end(&f);
}

static void
test_a_client_without_a_key_is_nobody(void **state)
{
	char got[TLS_FINGERPRINT_SIZE];
	struct fixture f;

	(void)state;
	begin(&f, TLS_KEY_P256, false);
	shake_hands(&f);
	assert_false(tls_peer(f.server, got));
	assert_true(tls_peer(f.conn, got));
	end(&f);
}

static void
test_a_cut_is_no_end(void **state)
{
	struct fixture f;
	char text[32];

	(void)state;
	begin(&f, TLS_KEY_P256, true);
	shake_hands(&f);
	assert_int_equal(tls_write(f.conn, "1#1", 3), 3);
	assert_int_equal(tls_read(f.server, text, sizeof(text)), 3);
	close(f.fd[1]);
	f.fd[1] = -1;
	assert_int_equal(tls_read(f.server, text, sizeof(text)), TLS_FAILED);
	assert_string_equal(tls_problem(f.server), "the connection was cut");
	/* A write to a closed connection must not raise SIGPIPE. */
	tls_write(f.server, "x", 1);
	end(&f);
}

/*
 * Receive at most `most` bytes from one socket, and send them to the other
 * socket.
 */
static void
carry(int from, int to, size_t most)
{
	char bytes[8192];
	ssize_t n = recv(from, bytes,
		most < sizeof(bytes) ? most : sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		assert_int_equal(send(to, bytes, (size_t)n, 0), n);
}

/*
 * Test that tls_pending() is false for an incomplete record. Otherwise a caller
 * would call tls_read() again and again without result.
 */
static void
test_half_a_record_is_not_pending(void **state)
{
	struct fixture f;
	int far[2], i, a = -1, b = -1;
	char text[32];

	(void)state;
	begin(&f, TLS_KEY_P256, true);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, far), 0);
	tls_close(f.server);
	assert_non_null(f.server = tls_open(f.server_side, far[0]));
	for (i = 0; i < ROUNDS && (a != 0 || b != 0); i++) {
		b = tls_handshake(f.conn);
		carry(f.fd[0], far[1], SIZE_MAX);
		a = tls_handshake(f.server);
		carry(far[1], f.fd[0], SIZE_MAX);
	}
	assert_int_equal(a, 0);
	assert_int_equal(tls_write(f.conn, "1#4\n", 4), 4);
	carry(f.fd[0], far[1], 3); /* a part of the header */
	assert_int_equal(tls_read(f.server, text, sizeof(text)), TLS_WANT_READ);
	assert_false(tls_pending(f.server));
	carry(f.fd[0], far[1], 10);
	assert_int_equal(tls_read(f.server, text, sizeof(text)), TLS_WANT_READ);
	assert_false(tls_pending(f.server));
	carry(f.fd[0], far[1], SIZE_MAX);
	assert_int_equal(tls_read(f.server, text, sizeof(text)), 4);
	close(far[0]);
	close(far[1]);
	end(&f);
}

/*
 * Test a client that sends many key updates. Each call of tls_read() must
 * return after one update, so that the caller can check its deadline.
 */
static void
test_new_keys_hold_no_read(void **state)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *raw = SSL_new(context);
	struct fixture f;
	char text[32];
	int i, a = -1, b = -1;

	(void)state;
	begin(&f, TLS_KEY_P256, false);
	assert_int_equal(SSL_set_fd(raw, f.fd[1]), 1);
	SSL_set_connect_state(raw);
	for (i = 0; i < ROUNDS && (a != 0 || b != 1); i++) {
		b = SSL_do_handshake(raw);
		a = tls_handshake(f.server);
	}
	assert_int_equal(a, 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(
			SSL_key_update(raw, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
		assert_int_equal(SSL_do_handshake(raw), 1);
	}
	assert_int_equal(SSL_write(raw, "1#4\n", 4), 4);
	for (i = 0; i < 3; i++)
		assert_int_equal(
			tls_read(f.server, text, sizeof(text)), TLS_WANT_READ);
	assert_int_equal(tls_read(f.server, text, sizeof(text)), 4);
	SSL_free(raw);
	SSL_CTX_free(context);
	end(&f);
}

/* Test that the server detects a client that does not speak TLS. */
static void
test_plain_is_noticed_by_the_server(void **state)
{
	static const char *const lines[] = { "1#2\n", "1#3#firefox\r\n",
		"GET / HTTP/1.1\r\n\r\n", "SSH-2.0-OpenSSH_9.2p1\r\n" };
	struct fixture f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		begin(&f, TLS_KEY_P256, true);
		assert_true(write(f.fd[1], lines[i], strlen(lines[i])) > 0);
		assert_int_equal(tls_handshake(f.server), TLS_PLAIN);
		end(&f);
	}
}

static void
test_plain_is_noticed_by_the_client(void **state)
{
	static const char line[] = "1#505#unknown version#id=1\n";
	struct fixture f;

	(void)state;
	begin(&f, TLS_KEY_P256, true);
	assert_int_equal(tls_handshake(f.conn), TLS_WANT_READ);
	assert_true(write(f.fd[0], line, strlen(line)) > 0);
	assert_int_equal(tls_handshake(f.conn), TLS_PLAIN);
	end(&f);
}

static void
test_an_end_in_the_handshake(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, TLS_KEY_P256, true);
	assert_int_equal(shutdown(f.fd[1], SHUT_WR), 0);
	assert_int_equal(tls_handshake(f.server), TLS_FAILED);
	assert_string_equal(tls_problem(f.server), "the connection was cut");
	end(&f);
}

static void
test_warm_up(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, TLS_KEY_ED25519, true);
	assert_int_equal(tls_warm_up(f.server_side), 0);
	shake_hands(&f);
	end(&f);
}

/* Test writing and reading a key file of this type. */
static void
check_file(enum tls_key_type type)
{
	char dir[] = "/tmp/bridle-tls-XXXXXX", path[64];
	char first[TLS_FINGERPRINT_SIZE], again[TLS_FINGERPRINT_SIZE];
	char problem[TLS_PROBLEM_SIZE];
	struct tls_key *key = new_key(type), *copy;
	struct stat st;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/key", dir);
	assert_null(tls_key_read(path, problem));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(tls_key_write(key, path), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* An existing file is not overwritten. */
	assert_int_equal(tls_key_write(key, path), -1);
	assert_int_equal(errno, EEXIST);
	assert_non_null(copy = tls_key_read(path, problem));
	tls_key_fingerprint(key, first);
	tls_key_fingerprint(copy, again);
	assert_string_equal(first, again);
	tls_key_free(copy);
	/* The file is refused if its mode lets others read the key. */
	assert_int_equal(chmod(path, 0640), 0);
	assert_null(tls_key_read(path, problem));
	assert_non_null(strstr(problem, "chmod 600"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, st.st_size / 2), 0);
	assert_null(tls_key_read(path, problem));
	assert_non_null(strstr(problem, "no key"));
	unlink(path);
	rmdir(dir);
	tls_key_free(key);
}

static void
test_files(void **state)
{
	(void)state;
	check_file(TLS_KEY_P256);
	check_file(TLS_KEY_ED25519);
}

#define BASE "SHA256:abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP"

/*
 * Test that errors of TLS are described by a text, and other errors by a
 * number.
 */
static void
test_errors_are_told_in_words_or_by_number(void **state)
{
	char problem[TLS_PROBLEM_SIZE], number[32];

	(void)state;
	tls_begin();
	ERR_clear_error();
	tls_describe(problem, "no luck");
	assert_string_equal(problem, "no luck");
	ERR_raise(ERR_LIB_PEM, PEM_R_NO_START_LINE);
	snprintf(number, sizeof(number), "%lX", ERR_peek_error());
	tls_describe(problem, "no luck");
	assert_non_null(strstr(problem, "no luck: OpenSSL's error "));
	assert_non_null(strstr(problem, number));
	assert_int_equal(ERR_peek_error(), 0);
	ERR_raise(ERR_LIB_PEM, PEM_R_NO_START_LINE);
	ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
	tls_describe(problem, "");
	assert_string_equal(problem, "bad length");
}

static void
test_fingerprints(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} rows[] = { { BASE "A", true }, { BASE "0", true }, { BASE "8", true },
		{ BASE "B", false }, { BASE, false }, { BASE "AA", false },
		{ BASE "=", false }, { BASE "A ", false },
		{ "sha256:abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPA", false },
		{ "SHA256:", false }, { "", false },
		{ "SHA256:abcdefghijklm opqrstuvwxyzABCDEFGHIJKLMNOPA",
			false } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			tls_fingerprint_valid(rows[i].text), rows[i].valid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_p256),
		cmocka_unit_test(test_ed25519),
		cmocka_unit_test(
			test_a_key_that_is_none_is_named_also_in_a_hurry),
		cmocka_unit_test(test_a_client_without_a_key_is_nobody),
		cmocka_unit_test(test_a_cut_is_no_end),
		cmocka_unit_test(test_half_a_record_is_not_pending),
		cmocka_unit_test(test_new_keys_hold_no_read),
		cmocka_unit_test(test_plain_is_noticed_by_the_server),
		cmocka_unit_test(test_plain_is_noticed_by_the_client),
		cmocka_unit_test(test_an_end_in_the_handshake),
		cmocka_unit_test(test_warm_up),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_errors_are_told_in_words_or_by_number),
		cmocka_unit_test(test_fingerprints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
