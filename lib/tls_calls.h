/*
 * The interface of the TLS module. The interface is a table with the functions
 * of tls.h. tls_load.c looks up this table in the module. Only the module links
 * OpenSSL, so a program loads OpenSSL only if the program uses TLS. Loading
 * OpenSSL takes longer than most calls of bridlectl. bridled needs OpenSSL only
 * to make a host key.
 */
#ifndef BRIDLE_TLS_CALLS_H
#define BRIDLE_TLS_CALLS_H

#include "tls.h"

#define TLS_MODULE "bridle-tls.so"
/* The name of the only symbol that the module exports. */
#define TLS_CALLS "bridle_tls_calls"

/* clang-format off */

/*
 * The functions that make a key or a context. Before making the object, these
 * functions load the module. Each row has the return type, the name after
 * "tls_", the parameters and the arguments of one function.
 */
#define TLS_MAKERS(ROW) \
	ROW(struct tls_key *, key_create, \
		(enum tls_key_type type, const char *name, \
			char problem[TLS_PROBLEM_SIZE]), \
		(type, name, problem)) \
	ROW(struct tls_key *, key_read, \
		(const char *path, char problem[TLS_PROBLEM_SIZE]), \
		(path, problem)) \
	ROW(struct tls_key *, key_open, \
		(const char *path, char problem[TLS_PROBLEM_SIZE]), \
		(path, problem)) \
	ROW(struct tls_context *, server, \
		(struct tls_key *key, char problem[TLS_PROBLEM_SIZE]), \
		(key, problem)) \
	ROW(struct tls_context *, client, \
		(struct tls_key *key, char problem[TLS_PROBLEM_SIZE]), \
		(key, problem))

/* The functions that take an object that the loaded module has made. */
#define TLS_USERS(ROW) \
	ROW(int, key_write, (const struct tls_key *key, const char *path), \
		(key, path)) \
	ROW(void, key_fingerprint, \
		(const struct tls_key *key, \
			char fingerprint[TLS_FINGERPRINT_SIZE]), \
		(key, fingerprint)) \
	ROW(int, warm_up, (struct tls_context *server), (server)) \
	ROW(struct tls *, open, (struct tls_context *c, int fd), (c, fd)) \
	ROW(int, handshake, (struct tls *t), (t)) \
	ROW(bool, peer, \
		(const struct tls *t, char fingerprint[TLS_FINGERPRINT_SIZE]), \
		(t, fingerprint)) \
	ROW(bool, peer_left, (const struct tls *t), (t)) \
	ROW(ssize_t, read, (struct tls *t, void *data, size_t len), \
		(t, data, len)) \
	ROW(ssize_t, write, (struct tls *t, const void *data, size_t len), \
		(t, data, len)) \
	ROW(bool, pending, (const struct tls *t), (t)) \
	ROW(int, shutdown, (struct tls *t), (t)) \
	ROW(const char *, problem, (const struct tls *t), (t))

/*
 * The functions that free an object. They allow NULL, even if no module is
 * loaded.
 */
#define TLS_FREERS(ROW) \
	ROW(void, key_free, (struct tls_key *p), (p)) \
	ROW(void, context_free, (struct tls_context *p), (p)) \
	ROW(void, close, (struct tls *p), (p))

/* clang-format on */

#define TLS_MEMBER(type, name, parameters, arguments) type(*name) parameters;

struct tls_calls {
	const char *version; /* version of Bridle, as in the program */
	TLS_MAKERS(TLS_MEMBER)
	TLS_USERS(TLS_MEMBER)
	TLS_FREERS(TLS_MEMBER)
};

extern const struct tls_calls bridle_tls_calls;

/* The table of the loaded module; NULL if the module is not loaded. */
extern const struct tls_calls *tls_found;

#endif
