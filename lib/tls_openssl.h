/*
 * What tls.c and tls_keys.c share: no other file includes this, or OpenSSL.
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
};

/* Puts what OpenSSL says was wrong first after `what`, and forgets the rest. */
void tls_describe(char problem[TLS_PROBLEM_SIZE], const char *what);

/* The fingerprint of a public key; false for want of memory. */
bool tls_fingerprint(EVP_PKEY *, char fingerprint[TLS_FINGERPRINT_SIZE]);

#endif
