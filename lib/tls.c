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
	struct tls_key *late; /* client's key from tls_key_open(), or NULL */
};

struct tls {
	SSL *ssl;
	int fd;
	struct tls_key *late; /* key as in the context's member `late` */
	bool may_read; /* true if the peer may have sent its first byte */
	bool looked;   /* true if the peer's first byte has been checked */
	bool left;     /* true if the peer has ended the handshake */
	char problem[TLS_PROBLEM_SIZE];
};

/*
 * Accept any certificate, because no authority signs Bridle's keys. The
 * handshake proves that the peer holds the private key. The caller identifies
 * the peer by the fingerprint of this key.
 */
static int
accept_any(X509_STORE_CTX *store, void *arg)
{
	(void)arg;
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

/*
 * Select Bridle's protocol by ALPN. If a client sends a list of protocols, the
 * list must contain Bridle's protocol. A client that sends no list is accepted.
 */
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
 * Send bytes to the peer. The BIO that replaces OpenSSL's socket BIO calls this
 * function. OpenSSL's BIO raises SIGPIPE and does not interpret errno.
 */
static int
socket_write(BIO *bio, const char *data, int len)
{
	const struct tls *t = BIO_get_data(bio);
	ssize_t n = send(t->fd, data, (size_t)len, MSG_NOSIGNAL);

	BIO_clear_retry_flags(bio);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(bio);
	return (int)n;
}

static int
socket_read(BIO *bio, char *data, int len)
{
	const struct tls *t = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	if (!t->may_read) {
		BIO_set_retry_read(bio);
		return -1;
	}
	n = recv(t->fd, data, (size_t)len, 0);
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
socket_bio(const BIO_METHOD *method, struct tls *t)
{
	BIO *bio = BIO_new(method);

	if (bio == NULL)
		return NULL;
	BIO_set_data(bio, t);
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

/*
 * Configure TLS for a server or a client. OpenSSL uses the ALPN callback only
 * in a server, and the ALPN list only in a client.
 */
static int
configure(SSL_CTX *ssl, const struct tls_key *key)
{
	SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	/*
	 * Make a read return after a key update. Otherwise a peer that sends
	 * only key updates could make a read last without end.
	 */
	SSL_CTX_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ssl, accept_any, NULL);
	SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, NULL);
	if (!SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) ||
		!SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) ||
		!SSL_CTX_set_num_tickets(ssl, 0) ||
		!SSL_CTX_set_ciphersuites(ssl,
			"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
			"TLS_CHACHA20_POLY1305_SHA256") ||
		!SSL_CTX_set1_groups_list(ssl, "X25519:P-256") ||
		!SSL_CTX_set1_sigalgs_list(ssl, "ECDSA+SHA256:ed25519") ||
		SSL_CTX_set_alpn_protos(ssl, protocol, PROTOCOL_LEN) != 0)
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
	if (c->ssl != NULL && c->socket != NULL && configure(c->ssl, key) == 0)
		return c;
	tls_describe(problem, "OpenSSL fails");
	tls_context_free(c);
	return NULL;
}

struct tls_context *
tls_server(struct tls_key *key, char problem[TLS_PROBLEM_SIZE])
{
	return new_context(key, true, problem);
}

struct tls_context *
tls_client(struct tls_key *key, char problem[TLS_PROBLEM_SIZE])
{
	return new_context(key, false, problem);
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

/*
 * Run both sides of a handshake in turn. Return 0 when both sides are done, or
 * -1 after too many turns.
 */
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

/*
 * Parse the client's key unless it is parsed already. If the key is not valid,
 * set the problem and return false.
 */
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

/*
 * Give OpenSSL the client's key when the server requests a certificate; see
 * SSL_set_cert_cb(3).
 */
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
	t->fd = fd;
	t->may_read = c->server;
	bio = t->ssl ? socket_bio(c->socket, t) : NULL;
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

/*
 * True if the call failed because show_key() has failed. In this case
 * have_key() has set the problem, so the caller must not set another problem.
 * OpenSSL 3.0 reports this failure with one of two codes.
 */
static bool
told_by_callback(unsigned long e)
{
	return ERR_GET_REASON(e) == SSL_R_CERT_CB_ERROR ||
	       ERR_GET_REASON(e) == SSL_R_CALLBACK_FAILED;
}

/*
 * True if a call failed because the peer has ended or reset the connection, or
 * has sent an alert.
 */
static bool
has_left(int error, unsigned long e)
{
	int reason = ERR_GET_REASON(e);

	if (error == SSL_ERROR_SYSCALL)
		return true;
	return ERR_GET_LIB(e) == ERR_LIB_SSL &&
	       (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING ||
		       reason > SSL_AD_REASON_OFFSET);
}

/*
 * Return the result of a call to OpenSSL that has not succeeded. The result is
 * an enum tls_result, or 0 after close_notify. After a failure, set the
 * problem.
 */
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
	t->left = has_left(error, e);
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

/*
 * Prepare for a call to OpenSSL. Clear OpenSSL's error queue and errno, so that
 * no older error is reported.
 */
static void
begin(void)
{
	ERR_clear_error();
	errno = 0;
}

/*
 * Check if the peer's first byte can be the beginning of TLS. Return 0, or an
 * enum tls_result. OpenSSL cannot do this check, because OpenSSL waits for more
 * bytes than a short request has. The byte stays in the socket, so that the
 * caller can read a request without TLS.
 */
static int
look_first(struct tls *t)
{
	unsigned char byte;
	ssize_t n = recv(t->fd, &byte, 1, MSG_PEEK);

	if (n == 1 && byte != SSL3_RT_HANDSHAKE &&
		(SSL_is_server(t->ssl) || byte != SSL3_RT_ALERT)) {
		snprintf(t->problem, sizeof(t->problem),
			"the peer does not speak TLS");
		return TLS_PLAIN;
	}
	t->looked = n == 1;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? TLS_WANT_READ : 0;
}

int
tls_handshake(struct tls *t)
{
	int ret;

	if (!t->looked && t->may_read && (ret = look_first(t)) != 0)
		return ret;
	begin();
	if ((ret = SSL_do_handshake(t->ssl)) == 1)
		return 0;
	ret = result_of(t, ret);
	if (ret == TLS_WANT_READ)
		t->may_read = true;
	/*
	 * Parse the key while this side waits for the peer's part of the
	 * handshake.
	 */
	if (ret == TLS_WANT_READ && t->late != NULL && !have_key(t))
		return TLS_FAILED;
	if (ret != 0)
		return ret;
	snprintf(
		t->problem, sizeof(t->problem), "the peer ended the handshake");
	t->left = true;
	return TLS_FAILED;
}

bool
tls_peer_left(const struct tls *t)
{
	return t->left;
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
	/*
	 * Do not use SSL_has_pending(3), which also counts an incomplete
	 * record.
	 */
	return SSL_pending(t->ssl) > 0;
}

int
tls_shutdown(struct tls *t)
{
	int ret;

	begin();
	/*
	 * A result of 0 means that close_notify is sent, and the peer's
	 * close_notify has not arrived. Do not wait for the peer.
	 */
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
