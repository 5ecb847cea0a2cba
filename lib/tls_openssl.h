/*
 * What tls.c, tls_keys.c and tls_pkcs8.c share: no other file of the programs'
 * includes this, or OpenSSL.
 */
#ifndef BRIDLE_TLS_OPENSSL_H
#define BRIDLE_TLS_OPENSSL_H

#include "tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

struct tls_key {
	EVP_PKEY *pkey;
	X509 *cert;
	char *path; /* of its file; NULL: it was made here */
	char *data; /* what the file has, as long as nobody has looked at it */
	size_t len;
};

/* Looks at it, once. 0, or -1 with `problem`: it is good for nothing then. */
int tls_key_parse(struct tls_key *, char problem[TLS_PROBLEM_SIZE]);

/*
 * Puts what OpenSSL says was wrong after `what`: the first that it has words
 * for, else the number of the first. Forgets the rest.
 */
void tls_describe(char problem[TLS_PROBLEM_SIZE], const char *what);

/* The fingerprint of a certificate's key; false for want of memory. */
bool tls_fingerprint(const X509 *, char fingerprint[TLS_FINGERPRINT_SIZE]);

/*
 * The key in an unencrypted PKCS #8 structure, the caller's; NULL if it is
 * neither of ours, or not written as OpenSSL writes them.
 */
EVP_PKEY *tls_pkcs8_read(const unsigned char *der, long len);

/*
 * Before anything of OpenSSL's is used: starts it without its configuration,
 * which has nothing to say in what we demand, and without all else that takes
 * time and that TLS 1.3 does not need.
 */
void tls_begin(void);

#endif
