/*
 * TLS 1.3 between two keys that know each other by their fingerprints, as
 * ssh(1) does it: there are no authorities, and a certificate is but what
 * carries a key. Only tls.c, tls_keys.c and tls_pkcs8.c know OpenSSL.
 * bridled-session-tls is linked with them; bridled and bridlectl load them as
 * a module (tls_load.c).
 *
 * Keys may be P-256 or Ed25519. Nothing here blocks: where a call has to
 * wait, it says for what, and is to be made again.
 */
#ifndef BRIDLE_TLS_H
#define BRIDLE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TLS_FINGERPRINT_SIZE 51 /* "SHA256:", 43 of base64, and the NUL */
#define TLS_PROBLEM_SIZE 256

/* A key with its certificate. */
struct tls_key;

/* One side of connections: its key, and what it demands of the other. */
struct tls_context;

/* One connection. */
struct tls;

enum tls_key_type { TLS_KEY_P256, TLS_KEY_ED25519 };

/*
 * Makes a key, and a certificate for it that it has signed itself. NULL with
 * `problem`.
 */
struct tls_key *tls_key_create(
	enum tls_key_type, const char *name, char problem[TLS_PROBLEM_SIZE]);

/*
 * Writes it, in PEM, to a new file that nobody else may read. An existing
 * file is never touched: -1 with errno EEXIST.
 */
int tls_key_write(const struct tls_key *, const char *path);

/*
 * Reads one, from a file that neither its group nor others may read or
 * write. NULL with `problem` (and errno; ENOENT where there is none).
 */
struct tls_key *tls_key_read(const char *path, char problem[TLS_PROBLEM_SIZE]);

/*
 * The same, but what is in the file is looked at when a client's connection
 * needs it, while the other side does its part of the handshake. Such a key is
 * for tls_client() alone, and must outlive the context. If it is none, the
 * handshake says so.
 */
struct tls_key *tls_key_open(const char *path, char problem[TLS_PROBLEM_SIZE]);

/* "SHA256:" and the base64, unpadded, of its SubjectPublicKeyInfo's hash. */
void tls_key_fingerprint(
	const struct tls_key *, char fingerprint[TLS_FINGERPRINT_SIZE]);

/* NULL is allowed. */
void tls_key_free(struct tls_key *);

/* Whether that text has the form of a fingerprint. */
bool tls_fingerprint_valid(const char *);

/*
 * The context takes no hold of the key. A client may have none. NULL with
 * `problem`.
 */
struct tls_context *tls_server(
	struct tls_key *, char problem[TLS_PROBLEM_SIZE]);
struct tls_context *tls_client(
	struct tls_key *, char problem[TLS_PROBLEM_SIZE]);

/*
 * Does one whole handshake in memory: what OpenSSL sets up at its first use
 * is set up then, before a filter forbids it and a fork has to copy it. 0,
 * or -1.
 */
int tls_warm_up(struct tls_context *server);

/* NULL is allowed. */
void tls_context_free(struct tls_context *);

/* A connection over a connected, non-blocking socket that stays the caller's.
 */
struct tls *tls_open(struct tls_context *, int fd);

/* What a call has come to, where it is no number of bytes. */
enum tls_result {
	TLS_WANT_READ = -1,
	TLS_WANT_WRITE = -2,
	TLS_FAILED = -3, /* tls_problem() tells why */
	TLS_PLAIN = -4   /* the other side does not speak TLS */
};

/* 0 when it is done; else an enum tls_result. */
int tls_handshake(struct tls *);

/* The fingerprint of the other side's key; false if it has shown none. */
bool tls_peer(const struct tls *, char fingerprint[TLS_FINGERPRINT_SIZE]);

/*
 * As read(2) and write(2) for len > 0, or an enum tls_result. 0 from
 * tls_read() is the other side's word that nothing more comes; an end of the
 * connection without that word is TLS_FAILED. tls_write() may be repeated
 * with more bytes after the same ones.
 */
ssize_t tls_read(struct tls *, void *, size_t len);
ssize_t tls_write(struct tls *, const void *, size_t len);

/* Whether bytes have been received that tls_read() has not yet given. */
bool tls_pending(const struct tls *);

/* Says that nothing more comes. 0, or an enum tls_result. */
int tls_shutdown(struct tls *);

/* Why it has failed: a text without a line's end, for people. */
const char *tls_problem(const struct tls *);

/* NULL is allowed. */
void tls_close(struct tls *);

#endif
