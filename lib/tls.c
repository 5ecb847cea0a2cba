#include "tls.h"

#include "tls_openssl.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const unsigned char protocol[] = "\x08"
					"bridle/1";
#define PROTOCOL_LEN (sizeof(protocol) - 1)

struct tls_context {
	SSL_CTX *ssl;
	BIO_METHOD *socket;
	bool server;
	struct tls_key *late; /* a client's that nobody has looked at yet */
};

struct tls {
	SSL *ssl;
	struct tls_key *late; /* what the context has of that */
	bool looked;          /* at the client's first byte */
	char problem[TLS_PROBLEM_SIZE];
};

/*
 * No authority vouches for a key, and none is asked: whoever it is has
 * proved by the handshake that he holds the key, and its fingerprint tells
 * who he is.
 */
static int
accept_any(X509_STORE_CTX *store, void *arg)
{
	(void)arg;
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

/* A client that names protocols must name ours; one need not name any. */
static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *outlen,
	const unsigned char *in, unsigned inlen, void *arg)
{
	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto((unsigned char **)(uintptr_t)out, outlen,
		    protocol, PROTOCOL_LEN, in,
		    inlen) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

/*
 * OpenSSL's own socket BIO raises SIGPIPE, and leaves to its caller what
 * errno means.
 */
static int
socket_write(BIO *bio, const char *data, int len)
{
	int fd = (int)(intptr_t)BIO_get_data(bio);
	ssize_t n = send(fd, data, (size_t)len, MSG_NOSIGNAL);

	BIO_clear_retry_flags(bio);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(bio);
	return (int)n;
}

static int
socket_read(BIO *bio, char *data, int len)
{
	int fd = (int)(intptr_t)BIO_get_data(bio);
	ssize_t n = recv(fd, data, (size_t)len, 0);

	BIO_clear_retry_flags(bio);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(bio);
	else if (n == 0)
		BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
	return (int)n;
}

static long
socket_control(BIO *bio, int command, long number, void *data)
{
	(void)number;
	(void)data;
	if (command == BIO_CTRL_EOF)
		return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
	return command == BIO_CTRL_FLUSH;
}

static BIO *
socket_bio(const BIO_METHOD *method, int fd)
{
	BIO *bio = BIO_new(method);

	if (bio == NULL)
		return NULL;
	BIO_set_data(bio, (void *)(intptr_t)fd);
	BIO_set_init(bio, 1);
	return bio;
}

static BIO_METHOD *
socket_method(void)
{
	BIO_METHOD *m = BIO_meth_new(
		BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");

	if (m != NULL) {
		BIO_meth_set_write(m, socket_write);
		BIO_meth_set_read(m, socket_read);
		BIO_meth_set_ctrl(m, socket_control);
	}
	return m;
}

static int
set_up(SSL_CTX *ssl, const struct tls_key *key)
{
	SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	/* Who sends nothing but new keys shall not hold a read for ever. */
	SSL_CTX_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_cert_verify_callback(ssl, accept_any, NULL);
	if (!SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) ||
		!SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) ||
		!SSL_CTX_set_num_tickets(ssl, 0) ||
		!SSL_CTX_set_ciphersuites(ssl,
			"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
			"TLS_CHACHA20_POLY1305_SHA256") ||
		!SSL_CTX_set1_groups_list(ssl, "X25519:P-256") ||
		!SSL_CTX_set1_sigalgs_list(ssl, "ECDSA+SHA256:ed25519"))
		return -1;
	if (key != NULL && key->data == NULL &&
		(SSL_CTX_use_certificate(ssl, key->cert) != 1 ||
			SSL_CTX_use_PrivateKey(ssl, key->pkey) != 1))
		return -1;
	return 0;
}

static struct tls_context *
new_context(struct tls_key *key, bool server, char problem[TLS_PROBLEM_SIZE])
{
	struct tls_context *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		snprintf(problem, TLS_PROBLEM_SIZE, "out of memory");
		return NULL;
	}
	tls_begin();
	c->server = server;
	if (key != NULL && key->data != NULL)
		c->late = key;
	c->ssl =
		SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	c->socket = socket_method();
	if (c->ssl != NULL && c->socket != NULL && set_up(c->ssl, key) == 0)
		return c;
	tls_describe(problem, "OpenSSL fails");
	tls_context_free(c);
	return NULL;
}

struct tls_context *
tls_server(struct tls_key *key, char problem[TLS_PROBLEM_SIZE])
{
	struct tls_context *c = new_context(key, true, problem);

	if (c == NULL)
		return NULL;
	SSL_CTX_set_verify(c->ssl, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_alpn_select_cb(c->ssl, choose_protocol, NULL);
	return c;
}

struct tls_context *
tls_client(struct tls_key *key, char problem[TLS_PROBLEM_SIZE])
{
	struct tls_context *c = new_context(key, false, problem);

	if (c == NULL)
		return NULL;
	SSL_CTX_set_verify(c->ssl, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_set_alpn_protos(c->ssl, protocol, PROTOCOL_LEN) == 0)
		return c;
	tls_describe(problem, "OpenSSL fails");
	tls_context_free(c);
	return NULL;
}

void
tls_context_free(struct tls_context *c)
{
	if (c == NULL)
		return;
	SSL_CTX_free(c->ssl);
	BIO_meth_free(c->socket);
	free(c);
}

/* Both sides take turns until neither can go on; 0 when both are done. */
static int
shake_hands(SSL *a, SSL *b)
{
	int i, ra = 0, rb = 0;

	for (i = 0; i < 8 && (ra != 1 || rb != 1); i++) {
		ra = SSL_do_handshake(a);
		rb = SSL_do_handshake(b);
	}
	return ra == 1 && rb == 1 ? 0 : -1;
}

static int
join(SSL *server, SSL *client)
{
	BIO *one, *other;

	if (BIO_new_bio_pair(&one, 0, &other, 0) != 1)
		return -1;
	SSL_set_bio(server, one, one);
	SSL_set_bio(client, other, other);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	return shake_hands(client, server);
}

int
tls_warm_up(struct tls_context *server)
{
	char problem[TLS_PROBLEM_SIZE], fingerprint[TLS_FINGERPRINT_SIZE];
	struct tls_key *key = tls_key_create(TLS_KEY_P256, "warm", problem);
	struct tls_context *client = key ? tls_client(key, problem) : NULL;
	SSL *a = SSL_new(server->ssl),
	    *b = client ? SSL_new(client->ssl) : NULL;
	struct tls t = { .ssl = a };
	int result = -1;

	if (a != NULL && b != NULL && join(a, b) == 0 &&
		tls_peer(&t, fingerprint))
		result = 0;
	SSL_free(a);
	SSL_free(b);
	tls_context_free(client);
	tls_key_free(key);
	ERR_clear_error();
	return result;
}

/* Looks at the key, if nobody has. */
static bool
have_key(struct tls *t)
{
	char problem[TLS_PROBLEM_SIZE] = "no key with its certificate";

	if (tls_key_parse(t->late, problem) == 0 && t->late->pkey != NULL)
		return true;
	snprintf(t->problem, sizeof(t->problem), "the key %.120s: %.120s",
		t->late->path, problem);
	return false;
}

/* The other side asks for our key: see SSL_set_cert_cb(3). */
static int
show_key(SSL *ssl, void *arg)
{
	struct tls *t = arg;

	return have_key(t) && SSL_use_certificate(ssl, t->late->cert) == 1 &&
	       SSL_use_PrivateKey(ssl, t->late->pkey) == 1;
}

struct tls *
tls_open(struct tls_context *c, int fd)
{
	struct tls *t = calloc(1, sizeof(*t));
	BIO *bio;

	if (t == NULL)
		return NULL;
	t->ssl = SSL_new(c->ssl);
	bio = t->ssl ? socket_bio(c->socket, fd) : NULL;
	if (bio == NULL) {
		ERR_clear_error();
		tls_close(t);
		return NULL;
	}
	SSL_set_bio(t->ssl, bio, bio);
	if ((t->late = c->late) != NULL)
		SSL_set_cert_cb(t->ssl, show_key, t);
	if (c->server)
		SSL_set_accept_state(t->ssl);
	else
		SSL_set_connect_state(t->ssl);
	return t;
}

static bool
not_tls(unsigned long e)
{
	int reason = ERR_GET_REASON(e);

	return ERR_GET_LIB(e) == ERR_LIB_SSL &&
	       (reason == SSL_R_WRONG_VERSION_NUMBER ||
		       reason == SSL_R_HTTP_REQUEST ||
		       reason == SSL_R_PACKET_LENGTH_TOO_LONG ||
		       reason == SSL_R_UNSUPPORTED_PROTOCOL);
}

/* have_key() has said why; OpenSSL 3.0 has these two words for it. */
static bool
told_by_callback(unsigned long e)
{
	return ERR_GET_REASON(e) == SSL_R_CERT_CB_ERROR ||
	       ERR_GET_REASON(e) == SSL_R_CALLBACK_FAILED;
}

/* What a call that did not succeed means. */
static int
result_of(struct tls *t, int ret)
{
	int saved = errno, error = SSL_get_error(t->ssl, ret);
	unsigned long e;

	if (error == SSL_ERROR_WANT_READ)
		return TLS_WANT_READ;
	if (error == SSL_ERROR_WANT_WRITE)
		return TLS_WANT_WRITE;
	if (error == SSL_ERROR_ZERO_RETURN)
		return 0;
	if ((e = ERR_peek_error()) != 0 && not_tls(e) &&
		!SSL_is_init_finished(t->ssl)) {
		tls_describe(t->problem, "");
		return TLS_PLAIN;
	}
	if (error == SSL_ERROR_SYSCALL && e == 0)
		snprintf(t->problem, sizeof(t->problem), "%s",
			saved ? strerror(saved) : "the connection was cut");
	else if (ERR_GET_REASON(e) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		snprintf(t->problem, sizeof(t->problem),
			"the connection was cut");
	else if (!told_by_callback(e))
		tls_describe(t->problem, "");
	ERR_clear_error();
	return TLS_FAILED;
}

/* What the queue and errno hold from before must not be taken for this. */
static void
begin(void)
{
	ERR_clear_error();
	errno = 0;
}

/*
 * Whether what a client has sent first may be TLS: 0, or an enum tls_result.
 * OpenSSL would wait for more than a short request has.
 */
static int
look_first(struct tls *t)
{
	int fd = (int)(intptr_t)BIO_get_data(SSL_get_rbio(t->ssl));
	unsigned char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_PEEK);

	if (n == 1 && byte != SSL3_RT_HANDSHAKE) {
		snprintf(t->problem, sizeof(t->problem), "it is not TLS");
		return TLS_PLAIN;
	}
	t->looked = n == 1;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? TLS_WANT_READ : 0;
}

int
tls_handshake(struct tls *t)
{
	int ret;

	if (!t->looked && SSL_is_server(t->ssl) && (ret = look_first(t)) != 0)
		return ret;
	begin();
	if ((ret = SSL_do_handshake(t->ssl)) == 1)
		return 0;
	ret = result_of(t, ret);
	/* While the other side does its part; the key is kept for its turn. */
	if (ret == TLS_WANT_READ && t->late != NULL && !have_key(t))
		return TLS_FAILED;
	if (ret != 0)
		return ret;
	snprintf(t->problem, sizeof(t->problem), "it ended the handshake");
	return TLS_FAILED;
}

bool
tls_peer(const struct tls *t, char fingerprint[TLS_FINGERPRINT_SIZE])
{
	const X509 *cert = SSL_get0_peer_certificate(t->ssl);

	return cert != NULL && tls_fingerprint(cert, fingerprint);
}

ssize_t
tls_read(struct tls *t, void *data, size_t len)
{
	size_t n;
	int ret;

	begin();
	if ((ret = SSL_read_ex(t->ssl, data, len, &n)) == 1)
		return (ssize_t)n;
	return result_of(t, ret);
}

ssize_t
tls_write(struct tls *t, const void *data, size_t len)
{
	size_t n;
	int ret;

	begin();
	if ((ret = SSL_write_ex(t->ssl, data, len, &n)) == 1)
		return (ssize_t)n;
	ret = result_of(t, ret);
	return ret == 0 ? TLS_FAILED : ret;
}

bool
tls_pending(const struct tls *t)
{
	/* Not SSL_has_pending(3): that counts the half of a record, too. */
	return SSL_pending(t->ssl) > 0;
}

int
tls_shutdown(struct tls *t)
{
	int ret;

	begin();
	/* 0: said, and nothing heard yet, which is not waited for. */
	if ((ret = SSL_shutdown(t->ssl)) >= 0)
		return 0;
	return result_of(t, ret);
}

const char *
tls_problem(const struct tls *t)
{
	return t->problem[0] ? t->problem : "TLS failed";
}

void
tls_close(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	free(t);
}
