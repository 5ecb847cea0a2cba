/*
 * Declarations shared by tls.c, tls_keys.c and tls_pkcs8.c. No other source
 * file of the programs includes this header or a header of OpenSSL.
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
	char *path; /* path of the key's file, or NULL */
	char *data; /* content of the file until it is parsed, else NULL */
	size_t len;
};

/*
 * Parse the content of the key's file unless it is parsed already. Return 0, or
 * -1 with `problem` if the content is no valid key. After -1 the key cannot be
 * used.
 */
int tls_key_parse(struct tls_key *, char problem[TLS_PROBLEM_SIZE]);

/*
 * Set the problem to `what` and OpenSSL's reason. The reason is the first error
 * that has a text. If no error has a text, the reason is the number of the
 * first error. Clear OpenSSL's error queue.
 */
void tls_describe(char problem[TLS_PROBLEM_SIZE], const char *what);

/*
 * Set `fingerprint` to the fingerprint of the certificate's key. Return false
 * if out of memory.
 */
bool tls_fingerprint(const X509 *, char fingerprint[TLS_FINGERPRINT_SIZE]);

/*
 * Return the key in an unencrypted PKCS #8 structure; the caller frees the key.
 * Return NULL unless the key is a P-256 or Ed25519 key in the form that OpenSSL
 * writes.
 */
EVP_PKEY *tls_pkcs8_read(const unsigned char *der, long len);

/*
 * Initialize OpenSSL before its first use. Do not read OpenSSL's configuration
 * file, which must not change Bridle's settings. Skip parts that take time and
 * that TLS 1.3 does not need.
 */
void tls_begin(void);

#endif
