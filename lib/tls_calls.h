/*
 * What the module of TLS offers to tls_load.c: tls.h, as a table. It is a
 * module so that OpenSSL is loaded where TLS is spoken, and nowhere else: it
 * takes longer to load than most calls of bridlectl take, and bridled needs it
 * but to make a host key.
 */
#ifndef BRIDLE_TLS_CALLS_H
#define BRIDLE_TLS_CALLS_H

#include "tls.h"

#define TLS_MODULE "bridle-tls.so"
#define TLS_CALLS "bridle_tls_calls" /* its only symbol */

struct tls_calls {
	const char *version; /* the program's own, or it is not used */
	struct tls_key *(*key_create)(
		enum tls_key_type, const char *name, char *problem);
	int (*key_write)(const struct tls_key *, const char *path);
	struct tls_key *(*key_read)(const char *path, char *problem);
	struct tls_key *(*key_open)(const char *path, char *problem);
	void (*key_fingerprint)(const struct tls_key *, char *fingerprint);
	void (*key_free)(struct tls_key *);
	struct tls_context *(*server)(struct tls_key *, char *problem);
	struct tls_context *(*client)(struct tls_key *, char *problem);
	int (*warm_up)(struct tls_context *);
	void (*context_free)(struct tls_context *);
	struct tls *(*open)(struct tls_context *, int fd);
	int (*handshake)(struct tls *);
	bool (*peer)(const struct tls *, char *fingerprint);
	ssize_t (*read)(struct tls *, void *, size_t);
	ssize_t (*write)(struct tls *, const void *, size_t);
	bool (*pending)(const struct tls *);
	int (*shutdown)(struct tls *);
	const char *(*problem)(const struct tls *);
	void (*close)(struct tls *);
};

extern const struct tls_calls bridle_tls_calls;

/* The programs' side of it: NULL as long as the module is not loaded. */
extern const struct tls_calls *tls_found;

#endif
