/*
 * TLS 1.3 between two peers that identify each other's key by its fingerprint,
 * as in ssh(1). There are no certificate authorities. A certificate only
 * contains a key. Only tls.c, tls_keys.c and tls_pkcs8.c use OpenSSL.
 * bridled-session-tls links these three files; bridled and bridlectl load these
 * files as a module (tls_load.c).
 *
 * A key is a P-256 or Ed25519 key. No function blocks. If a function would have
 * to wait, it returns the event to wait for. After this event the caller
 * repeats the call. A function with an argument `problem` sets `problem` to the
 * reason of an error.
 */
#ifndef BRIDLE_TLS_H
#define BRIDLE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TLS_FINGERPRINT_SIZE 51 /* prefix, 43 base64 characters, NUL */
#define TLS_PROBLEM_SIZE 256

/* A key with its certificate. */
struct tls_key;

/*
 * The settings of a server or of a client, which many connections share. The
 * settings are the key of the server or client, and the requirements for the
 * peer.
 */
struct tls_context;

/* A TLS connection over a socket. */
struct tls;

enum tls_key_type { TLS_KEY_P256, TLS_KEY_ED25519 };

/*
 * Return a new key with its self-signed certificate; the certificate has the
 * common name `name`. After an error, return NULL and set `problem`.
 */
struct tls_key *tls_key_create(
	enum tls_key_type, const char *name, char problem[TLS_PROBLEM_SIZE]);

/*
 * Write the key and its certificate, in PEM, to a new file that only the file's
 * owner can read. Return 0, or -1 with errno. If the file exists, leave it
 * unchanged and fail with EEXIST.
 */
int tls_key_write(const struct tls_key *, const char *path);

/*
 * Read a key and its certificate from a file. Refuse a file to which group or
 * others have access. After an error, return NULL, and set `problem` and errno.
 * ENOENT means that there is no file.
 */
struct tls_key *tls_key_read(const char *path, char problem[TLS_PROBLEM_SIZE]);

/*
 * Read the file like tls_key_read(), but do not parse the key yet. A client's
 * handshake parses the key while the server works on the server's part of the
 * handshake. Pass such a key to tls_client() only, and free the context before
 * the key. If the file holds no valid key, the handshake fails, and
 * tls_problem() returns the reason.
 */
struct tls_key *tls_key_open(const char *path, char problem[TLS_PROBLEM_SIZE]);

/*
 * Set `fingerprint` to "SHA256:" and the SHA-256 hash of the key's
 * SubjectPublicKeyInfo, in base64 without padding.
 */
void tls_key_fingerprint(
	const struct tls_key *, char fingerprint[TLS_FINGERPRINT_SIZE]);

/* Free a key; NULL is allowed. */
void tls_key_free(struct tls_key *);

/* True if the text has the form of a fingerprint. */
bool tls_fingerprint_valid(const char *);

/*
 * Return a new context for a server or for a client. The context does not own
 * the key. A client's key may be NULL. After an error, return NULL and set
 * `problem`.
 */
struct tls_context *tls_server(
	struct tls_key *, char problem[TLS_PROBLEM_SIZE]);
struct tls_context *tls_client(
	struct tls_key *, char problem[TLS_PROBLEM_SIZE]);

/*
 * Do one whole handshake in memory, so that OpenSSL initializes everything now.
 * Later, a seccomp filter could forbid the initialization. Without this call,
 * each forked process would repeat the initialization. Return 0, or -1 after an
 * error.
 */
int tls_warm_up(struct tls_context *server);

/* Free a context; NULL is allowed. */
void tls_context_free(struct tls_context *);

/*
 * Return a new TLS connection over a connected, non-blocking socket. The caller
 * still owns the socket. Return NULL if out of memory.
 */
struct tls *tls_open(struct tls_context *, int fd);

/* Results of a call that must be repeated or has failed. */
enum tls_result {
	TLS_WANT_READ = -1,
	TLS_WANT_WRITE = -2,
	TLS_FAILED = -3, /* failure; tls_problem() returns the reason */
	TLS_PLAIN = -4   /* failure, because the peer does not speak TLS */
};

/*
 * Continue the handshake. Return 0 when the handshake is done, or an enum
 * tls_result.
 */
int tls_handshake(struct tls *);

/*
 * True if a handshake has failed because the peer closed or reset the
 * connection, or sent an alert. An alert can, for example, report an unknown
 * host key.
 */
bool tls_peer_left(const struct tls *);

/*
 * Set `fingerprint` to the fingerprint of the peer's key. Return false if the
 * peer has not sent a key.
 */
bool tls_peer(const struct tls *, char fingerprint[TLS_FINGERPRINT_SIZE]);

/*
 * Read and write like read(2) and write(2); len must be above 0. Return the
 * number of bytes, or an enum tls_result. tls_read() returns 0 after the peer's
 * close_notify. If the connection ends without close_notify, the result is
 * TLS_FAILED. A repeated call of tls_write() must pass the same bytes again.
 * More bytes can follow these bytes.
 */
ssize_t tls_read(struct tls *, void *, size_t len);
ssize_t tls_write(struct tls *, const void *, size_t len);

/*
 * True if there are received and decrypted bytes that tls_read() has not
 * returned yet.
 */
bool tls_pending(const struct tls *);

/*
 * Send close_notify, which tells the peer that no more bytes follow. Return 0,
 * or an enum tls_result.
 */
int tls_shutdown(struct tls *);

/* Return the reason of the failure: a text for people, without a line end. */
const char *tls_problem(const struct tls *);

/* Free a connection; NULL is allowed. The socket stays open. */
void tls_close(struct tls *);

#endif
